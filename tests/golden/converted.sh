#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# converted.sh LORIKEET-CLI GOLDEN-CHECK GOLDEN-FOLDER DEVICE: the folder's model, written as GGUF F32 and read back, gives the same numbers.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" export --model "$3" --format gguf --type F32 --output "$work/model.gguf"
mkdir "$work/golden"
cp -r "$3/golden.json" "$3/golden.safetensors" "$3/adapter" "$work/golden"
"$2" "$work/golden" --model "$work/model.gguf" --device "$4"
