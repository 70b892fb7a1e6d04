# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough of GGUF to write wrong ones: a file as lists of keys and tensors, changed and written again as it says."""
import struct

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
UINT32, FLOAT32, STRING, ARRAY = 4, 6, 8, 9


class Gguf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.at = 8
        self.magic, self.version = b"GGUF", 3
        n_tensors, n_keys = self._take("<Q"), self._take("<Q")
        self.keys = {}  # name → (type, bytes of the value)
        for _ in range(n_keys):
            name = self._string()
            kind = self._take("<I")
            begin = self.at
            self._skip(kind)
            self.keys[name] = (kind, self.bytes[begin:self.at])
        self.tensors = {}  # name → [dimensions, type, offset]
        for _ in range(n_tensors):
            name = self._string()
            dims = [self._take("<Q") for _ in range(self._take("<I"))]
            self.tensors[name] = [dims, self._take("<I"), self._take("<Q")]
        self.data = self.bytes[(self.at + 31) // 32 * 32:]
        self.n_keys = self.n_tensors = None  # another count than there are

    def _take(self, form):
        value, = struct.unpack_from(form, self.bytes, self.at)
        self.at += struct.calcsize(form)
        return value

    def _string(self):
        n = self._take("<Q")
        self.at += n
        return self.bytes[self.at - n:self.at].decode()

    def _skip(self, kind):
        if kind == STRING:
            self._string()
        elif kind == ARRAY:
            inner, n = self._take("<I"), self._take("<Q")
            for _ in range(n):
                self._skip(inner)
        else:
            self.at += SIZES[kind]

    def strings(self, name):
        _, value = self.keys[name]
        n, = struct.unpack_from("<Q", value, 4)
        at, out = 12, []
        for _ in range(n):
            size, = struct.unpack_from("<Q", value, at)
            out.append(value[at + 8:at + 8 + size])
            at += 8 + size
        return out

    def set_strings(self, name, strings):
        self.keys[name] = (ARRAY, struct.pack("<IQ", STRING, len(strings)) + b"".join(struct.pack("<Q", len(s)) + s for s in strings))

    def set(self, name, kind, form, *values):
        self.keys[name] = (kind, struct.pack("<" + form, *values))

    def build(self):
        def text(s):
            return struct.pack("<Q", len(s.encode())) + s.encode()
        n_tensors = len(self.tensors) if self.n_tensors is None else self.n_tensors
        n_keys = len(self.keys) if self.n_keys is None else self.n_keys
        out = self.magic + struct.pack("<IQQ", self.version, n_tensors, n_keys)
        for name, (kind, value) in self.keys.items():
            out += text(name) + struct.pack("<I", kind) + value
        for name, (dims, kind, offset) in self.tensors.items():
            out += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        return out + bytes(-len(out) % 32) + self.data
