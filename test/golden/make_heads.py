"""Computes heads.safetensors: scikit-learn's logistic regression of the features and labels that are there.

pip install scikit-learn safetensors; python test/golden/make_heads.py [--check]

The objective is that of the MSN paper: (1/n) sum of the losses + (lambd/n)/2 times the squared weights, without an
intercept; scikit-learn's C is 1/lambd. Features are centred and have length 1. With --check nothing is written: the
largest differences are printed, and the exit code is 1 if one is above 1e-4.
"""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

TOLERANCE = 1e-4
PATH = Path(__file__).parent / "heads.safetensors"


def features(rows: np.ndarray) -> np.ndarray:
    centred = rows.astype(np.float64) - rows.mean(axis=1, keepdims=True, dtype=np.float64)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    tensors = load_file(PATH)
    support, query = features(tensors["support"]), features(tensors["query"])
    worst = 0.0
    for name in [name for name in tensors if name.startswith("probabilities_lambd_")]:
        lambd = name.removeprefix("probabilities_lambd_")
        head = LogisticRegression(C=1 / float(lambd), fit_intercept=False, tol=1e-12, max_iter=1_000_000)
        head.fit(support, tensors["support_labels"])
        probabilities = head.predict_proba(query).astype(np.float32)
        difference = np.abs(probabilities - tensors[name]).max()
        worst = max(worst, difference)
        print(f"lambd {lambd}: {difference:.1e}")
        tensors[name] = probabilities
        tensors[f"weight_lambd_{lambd}"] = head.coef_.astype(np.float32)
    if not check:
        save_file(tensors, PATH)
    return int(check and worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
