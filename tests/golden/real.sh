#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# real.sh GOLDEN-CHECK GOLDEN-FOLDER DEVICE: the real model's numbers; skipped where the model was not fetched.
set -eu
model=$("$(dirname "$0")/../fetch-models" --path) || { echo "SmolLM2 is not here: tests/fetch-models gets it"; exit 77; }
exec "$1" "$2" --model "$model" --device "$3"
