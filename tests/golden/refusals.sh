#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# refusals.sh GOLDEN-CHECK GOLDEN-FOLDER: a golden folder with something missing, or more than is looked at, fails by name; it does
# not pass for lack of numbers.
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
# $1: a line of Python that changes the header “head” of golden.safetensors, or the bytes “body” behind it
edit () {
  python3 - "$work/golden/golden.safetensors" "$1" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
scope = {"head": json.loads(data[8:8 + size]), "body": data[8 + size:]}
exec(sys.argv[2], scope)
text = json.dumps(scope["head"], separators=(",", ":")).encode()
text = text.ljust((len(text) + 7) // 8 * 8)
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + scope["body"])
END
}

fresh "$@"
sed -i 's/"eps"/"spe"/' "$work/golden/golden.json"
refuses "$1" '“eps”' "golden.json has no eps"
fresh "$@"
edit 'head["grad.base_model.model.model.layers.0.self_attn.z_proj.lora_A.weight"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(body), len(body) + 4]}; body += bytes(4)'
refuses "$1" 'z_proj.lora_A' "a golden gradient has no tensor"
for name in grad.base_model.model.model.layers.1.mlp.up_proj.lora_B.weight full.model.norm.weight logits labels; do
  fresh "$@"
  edit "head['other'] = head.pop('$name')"
  refuses "$1" "“$name”" "there is no $name"
done
fresh "$@"
edit 'head["labels"]["shape"].reverse()'
refuses "$1" '“labels”' "labels have another shape than input_ids"
fresh "$@"
edit 'at = head["input_ids"]["data_offsets"][0]; body = body[:at] + bytes([0, 0, 1]) + body[at + 3:]'
refuses "$1" '“input_ids”' "an id is outside the vocabulary"
# With --json a folder that cannot be compared is an object, too.
"$1" "$work/nowhere" --device cpu --json >"$work/out" 2>"$work/error" && exit 1
python3 -c 'import json, sys; told = json.load(open(sys.argv[1])); assert told["passed"] is False and told["device"] == "cpu" and told["error"], told' "$work/out"
