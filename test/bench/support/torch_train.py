"""Trains a vision transformer like Hugging Face's ViT-MSN in PyTorch, on one thread.

    python3 torch_train.py '{"hidden_size": 192, ..., "batch": 64, "tune": "all"}'

`tune` is all; last:N, from inputs of the last N blocks; or lora:R. Prints PyTorch's version when it is ready.
For each line of standard input it makes a step, which is forward, backward, clipping and AdamW, and prints the
megabytes that the process has taken at most beyond those of PyTorch alone.
"""
import json
import math
import os
import sys

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import torch
from torch import nn
from torch.nn import functional as F


class Lora(nn.Module):
    """A linear layer that is frozen, and an adapter."""

    def __init__(self, size, rank, alpha=16):
        super().__init__()
        self.linear = nn.Linear(size, size)
        self.a = nn.Linear(size, rank, bias=False)
        self.b = nn.Linear(rank, size, bias=False)
        self.scale = alpha / rank

    def forward(self, x):
        return self.linear(x) + self.scale * self.b(self.a(x))


class Block(nn.Module):
    def __init__(self, size, heads, mlp, rank):
        super().__init__()
        adapted = (lambda: Lora(size, rank)) if rank else (lambda: nn.Linear(size, size))
        self.heads = heads
        self.before, self.after = nn.LayerNorm(size, 1e-6), nn.LayerNorm(size, 1e-6)
        self.query, self.key, self.value = adapted(), nn.Linear(size, size), adapted()
        self.output = nn.Linear(size, size)
        self.up, self.down = nn.Linear(size, mlp), nn.Linear(mlp, size)

    def forward(self, x):  # [B, T, D]
        normal = self.before(x)
        q, k, v = (
            layer(normal).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = torch.softmax(q @ k.transpose(2, 3) / q.shape[-1] ** 0.5, -1) @ v
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.after(x))))


class Model(nn.Module):
    def __init__(self, shape, blocks, from_inputs, rank):
        super().__init__()
        size, patch = shape["hidden_size"], shape["patch_size"]
        self.from_inputs = from_inputs
        if not from_inputs:
            self.patches = nn.Conv2d(3, size, patch, patch)
            self.cls = nn.Parameter(torch.zeros(1, 1, size))
            self.positions = nn.Parameter(0.02 * torch.randn(1, tokens_of(shape), size))
        heads, mlp = shape["num_attention_heads"], shape["intermediate_size"]
        self.blocks = nn.Sequential(*(Block(size, heads, mlp, rank) for _ in range(blocks)))
        self.norm = nn.LayerNorm(size, 1e-6)
        self.classifier = nn.Linear(size, shape["classes"])

    def forward(self, x):
        if not self.from_inputs:
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat((self.cls.expand(len(x), -1, -1), x), 1) + self.positions
        return self.classifier(self.norm(self.blocks(x))[:, 0])


def tokens_of(shape):
    return (shape["image_size"] // shape["patch_size"]) ** 2 + 1


def peak_megabytes():
    """Not of getrusage, which begins at the parent's peak. Nothing where there is no /proc."""
    if not os.path.exists("/proc/self/status"):
        return math.nan
    with open("/proc/self/status") as file:
        [line] = [line for line in file if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6


def main():
    shape = json.loads(sys.argv[1])
    start = peak_megabytes()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    kind, _, number = shape["tune"].partition(":")
    from_inputs = kind == "last"
    blocks = int(number) if from_inputs else shape["num_hidden_layers"]
    model = Model(shape, blocks, from_inputs, int(number) if kind == "lora" else 0)
    if kind == "lora":
        for name, parameter in model.named_parameters():
            learns = name.startswith("classifier.") or ".a." in name or ".b." in name
            parameter.requires_grad_(learns)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.05)
    batch, image = shape["batch"], shape["image_size"]
    state = (batch, tokens_of(shape), shape["hidden_size"])
    x = torch.rand(*(state if from_inputs else (batch, 3, image, image))) * 4 - 2
    labels = torch.arange(batch) % shape["classes"]
    print(torch.__version__, flush=True)
    for _ in sys.stdin:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(x), labels).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        print(f"{peak_megabytes() - start:.0f}", flush=True)


main()
