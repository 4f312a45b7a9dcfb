"""Writes exports/: a small ViT-MSN as PyTorch, optimum and onnxruntime export and quantize it.

pip install torch transformers onnx onnxruntime; python test/golden/make_exports.py
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16
from transformers import ViTMSNConfig, ViTMSNForImageClassification

OUT = Path(__file__).parent / "exports"
SIZES = dict(
    hidden_size=32,
    num_hidden_layers=1,
    num_attention_heads=4,
    intermediate_size=32,
    image_size=8,
    patch_size=4,
    num_labels=3,
)


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values).logits


class Images(CalibrationDataReader):
    def __init__(self):
        random = np.random.default_rng(0)
        image = random.standard_normal((1, 3, 8, 8)).astype(np.float32)
        self.batches = iter([{"pixel_values": image}])

    def get_next(self):
        return next(self.batches, None)


torch.manual_seed(0)
OUT.mkdir(exist_ok=True)
model = ViTMSNForImageClassification._from_config(
    ViTMSNConfig(**SIZES), attn_implementation="eager"
).eval()
plain = OUT / "model.onnx"
axes = {0: "batch_size", 1: "num_channels", 2: "height", 3: "width"}
torch.onnx.export(
    Logits(model),
    (torch.zeros(1, 3, 8, 8),),
    plain,
    input_names=["pixel_values"],
    output_names=["logits"],
    dynamic_axes={"pixel_values": axes, "logits": {0: "batch_size"}},
    opset_version=14,
    dynamo=False,
)
image = (torch.arange(192) % 17 / 8 - 1).reshape(1, 3, 8, 8)
with torch.no_grad():
    expected = model(image).logits[0].tolist()
(OUT / "expected.json").write_text(json.dumps({"logits": expected}) + "\n")
quantize_dynamic(plain, OUT / "model_quantized.onnx", weight_type=QuantType.QUInt8)
quantize_static(plain, OUT / "model_qdq.onnx", Images(), quant_format=QuantFormat.QDQ)
onnx.save(convert_float_to_float16(onnx.load(plain), keep_io_types=True), OUT / "model_fp16.onnx")
quantizer = MatMulNBitsQuantizer(onnx.load(plain), block_size=32, is_symmetric=True)
quantizer.process()
onnx.save(quantizer.model.model, OUT / "model_q4.onnx")
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
options.optimized_model_filepath = str(OUT / "model_optimized.onnx")
onnxruntime.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
with tempfile.TemporaryDirectory() as folder:
    model.config.save_pretrained(folder)
    config = json.loads((Path(folder) / "config.json").read_text())
(OUT / "config.json").write_text(json.dumps(config, indent=2) + "\n")
