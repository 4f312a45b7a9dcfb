"""Computes tiny*/expected.safetensors with Hugging Face's ViTMSN, of the weights and inputs that are there.

pip install torch transformers; python test/golden/make_models.py [--check]

With --check nothing is written: the largest differences to the files are printed, and the exit code is 1 if
one is above 1e-5.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import ViTMSNForImageClassification, ViTMSNModel

TOLERANCE = 1e-5
# Of the first image; all of them would take megabytes.
HIDDEN_ROWS, ATTENTION_ROWS = 8, 4


def compute(folder: Path, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    has_classifier = "logits" in inputs
    kind = ViTMSNForImageClassification if has_classifier else ViTMSNModel
    model = kind.from_pretrained(folder, attn_implementation="eager").eval()
    pixel_values = inputs["pixel_values"]
    size = model.config.image_size
    options = {"output_hidden_states": True, "output_attentions": True}
    if tuple(pixel_values.shape[2:]) != (size, size):
        options["interpolate_pos_encoding"] = True
    if "bool_masked_pos" in inputs:
        # The classifier does not pass it on, and has no mask token.
        backbone = ViTMSNModel.from_pretrained(
            folder, use_mask_token=True, attn_implementation="eager"
        ).eval()
        outputs = backbone(pixel_values, bool_masked_pos=inputs["bool_masked_pos"], **options)
        last_hidden_state = outputs.last_hidden_state
        logits = model.classifier(last_hidden_state[:, 0, :]) if has_classifier else None
        loss = None
    else:
        if "labels" in inputs:
            options["labels"] = inputs["labels"]
        outputs = model(pixel_values, **options)
        logits = getattr(outputs, "logits", None)
        loss = getattr(outputs, "loss", None)
        last_hidden_state = getattr(outputs, "last_hidden_state", None)
        if last_hidden_state is None:
            last_hidden_state = model.vit.layernorm(outputs.hidden_states[-1])
    expected = {"last_hidden_state": last_hidden_state}
    if logits is not None:
        expected["logits"] = logits
    if loss is not None:
        expected["loss"] = loss.reshape(1)
    expected["hidden_states_first_rows"] = torch.stack(outputs.hidden_states)[:, :1, :HIDDEN_ROWS]
    expected["attentions_first_rows"] = torch.stack(outputs.attentions)[:, :1, :, :ATTENTION_ROWS]
    return expected


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    worst = 0.0
    for folder in sorted(Path(__file__).parent.glob("tiny*/")):
        path = folder / "expected.safetensors"
        before = load_file(path)
        with torch.no_grad():
            expected = compute(folder, before)
        for name, tensor in expected.items():
            difference = (tensor - before[name]).abs().max().item()
            worst = max(worst, difference)
            print(f"{folder.name} {name} {list(tensor.shape)}: {difference:.1e}")
        if not check:
            save_file({k: v.contiguous() for k, v in {**before, **expected}.items()}, path)
    return int(check and worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
