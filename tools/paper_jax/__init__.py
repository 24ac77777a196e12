"""The sentence models of docs/PAPER.md in JAX: all settings of a program are trained at once on one GPU.

A model of the Penn Treebank is small: alone it leaves most of a GPU idle. Here the weights of up to 21 models are stacked, and one
compiled step trains all of them. It is also a check of the package by a second implementation: tests/tools/paper_jax_cases.py
compares losses, gradients and steps.

    pip install '.[demo,paper]' 'jax[cuda13]'                # without a GPU plain jax, which is slow
    python -m tools.paper_jax --data_dir=DIR --runs=DIR      # trains what --runs lacks; 25 minutes on an H100
    python -m tools.reproduce paper                          # the pages from results/paper/ptb.json
"""
