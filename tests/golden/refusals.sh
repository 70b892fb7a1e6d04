#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# refusals.sh GOLDEN-CHECK GOLDEN-FOLDER: a golden folder with something missing fails by name; it does not pass for lack of numbers.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fresh () { rm -rf "$work/golden" && cp -r "$2" "$work/golden"; }
refuses () {
  if "$1" "$work/golden" --device cpu >"$work/out" 2>&1; then
    echo "it passes although $3"
    exit 1
  fi
  grep -qF -- "$2" "$work/out" || { echo "the message does not name $2:"; cat "$work/out"; exit 1; }
}

fresh "$@"
sed -i 's/"eps"/"spe"/' "$work/golden/golden.json"
refuses "$1" '“eps”' "golden.json has no eps"
fresh "$@"
LC_ALL=C sed -i 's/grad\.base_model\.model\.model\.layers\.0\.self_attn\.q_proj\.lora_A/grad.base_model.model.model.layers.0.self_attn.z_proj.lora_A/' "$work/golden/golden.safetensors"
refuses "$1" 'z_proj.lora_A' "a golden gradient has no tensor"
fresh "$@"
LC_ALL=C sed -i 's/"labels"/"belals"/' "$work/golden/golden.safetensors"
refuses "$1" '“labels”' "there are no labels"
