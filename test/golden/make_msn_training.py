"""Writes msn_training/: a training state of a small ViT-MSN, saved by PyTorch as the authors' code saves it.

pip install torch; python test/golden/make_msn_training.py

The encoder has the names of the authors' model, is wrapped in DistributedDataParallel, and has made a step of
training. expected.json has each tensor's shape and its elements' sum, weighted by their positions 1, 2, …, in
float64.
"""

import copy
import json
import tempfile
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

OUT = Path(__file__).parent / "msn_training"
D, INTERMEDIATE, PATCH, IMAGE = 20, 24, 2, 4
HIDDEN, OUTPUT, PROTOTYPES = 8, 4, 6
EPOCH = 3


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(D, 3 * D)
        self.proj = nn.Linear(D, D)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(D)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(D)
        self.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(D, INTERMEDIATE), fc2=nn.Linear(INTERMEDIATE, D))
        )


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, D))
        self.pos_embed = nn.Parameter(torch.randn(1, (IMAGE // PATCH) ** 2 + 1, D))
        self.patch_embed = nn.Sequential(OrderedDict(proj=nn.Conv2d(3, D, PATCH, PATCH)))
        self.blocks = nn.ModuleList([Block()])
        self.norm = nn.LayerNorm(D)
        self.fc = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(D, HIDDEN),
                bn1=nn.BatchNorm1d(HIDDEN),
                gelu1=nn.GELU(),
                fc2=nn.Linear(HIDDEN, HIDDEN),
                bn2=nn.BatchNorm1d(HIDDEN),
                gelu2=nn.GELU(),
                fc3=nn.Linear(HIDDEN, OUTPUT),
            )
        )


def digest(tensor: torch.Tensor) -> dict:
    values = tensor.double().flatten()
    weighted = (values * torch.arange(1, len(values) + 1)).sum().item()
    return {"shape": list(tensor.shape), "weighted_sum": weighted}


def digests(module: nn.Module) -> dict:
    return {name: digest(tensor) for name, tensor in module.state_dict().items()}


def main() -> None:
    torch.manual_seed(0)
    OUT.mkdir(exist_ok=True)
    encoder = Encoder()
    target_encoder = copy.deepcopy(encoder)
    prototypes = nn.Parameter(torch.randn(PROTOTYPES, OUTPUT))
    optimizer = torch.optim.AdamW([*encoder.parameters(), prototypes], lr=0.1)
    # Only the last layer and the prototypes have gradients, so that the optimizer's state is small.
    hidden = encoder.fc[:-1](torch.randn(5, D)).detach()
    (encoder.fc.fc3(hidden) @ prototypes.T).square().mean().backward()
    optimizer.step()
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.grad is None:
                parameter.add_(0.01 * torch.randn_like(parameter))
    expected = {
        "encoder": digests(encoder),
        "target_encoder": digests(target_encoder),
        "prototypes": digest(prototypes),
        "epoch": EPOCH,
    }
    with tempfile.TemporaryDirectory() as folder:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{folder}/store", rank=0, world_size=1
        )
        state = {
            "encoder": DistributedDataParallel(encoder).state_dict(),
            "opt": optimizer.state_dict(),
            "prototypes": prototypes.data,
            "target_encoder": DistributedDataParallel(target_encoder).state_dict(),
            "epoch": EPOCH,
            "loss": 1.5,
            "batch_size": 5,
            "world_size": 2,
            "lr": 0.1,
            "temperature": 0.1,
        }
        torch.save(state, OUT / "msn-latest.pth.tar")
        torch.distributed.destroy_process_group()
    config = {
        "model_type": "vit_msn",
        "hidden_size": D,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": INTERMEDIATE,
        "image_size": IMAGE,
        "patch_size": PATCH,
    }
    (OUT / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (OUT / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
