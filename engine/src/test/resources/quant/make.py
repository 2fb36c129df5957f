# Writes fixtures: for each block format, random blocks and the floats that the gguf package decodes.
import sys
import numpy as np
import gguf
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize

OFFSETS = {  # where half-precision numbers stand in a block
    'Q4_0': [0], 'Q4_1': [0, 2], 'Q5_0': [0], 'Q5_1': [0, 2], 'Q8_0': [0], 'Q2_K': [80, 82],
    'Q3_K': [108], 'Q4_K': [0, 2], 'Q5_K': [0, 2], 'Q6_K': [208], 'IQ4_NL': [0], 'IQ4_XS': [0],
    'F16': [0], 'BF16': [], 'F32': []}
EXTREMES = [0.0, -0.0, 6e-8, -6e-8, 65504.0, -65504.0, 1.0]

rng = np.random.default_rng(7)
for name, halves in OFFSETS.items():
    type_ = T[name]
    size, width = gguf.GGML_QUANT_SIZES[type_]
    count = max(24, 256 // size)
    blocks = np.frombuffer(rng.bytes(count * width), np.uint8).reshape(count, width).copy()
    for i in range(count):
        for at in halves:
            scale = EXTREMES[i] if i < len(EXTREMES) else rng.normal() * 0.1
            blocks[i, at:at + 2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
        if name == 'F32':
            blocks[i] = np.frombuffer(np.float32(rng.normal()).tobytes(), np.uint8)
        if name == 'BF16':
            blocks[i] = np.frombuffer(np.float32(rng.normal()).tobytes(), np.uint8)[2:]
    values = dequantize(blocks, type_).astype('<f4')
    blocks.tofile(f'{sys.argv[1]}/{name}.blocks')
    values.tofile(f'{sys.argv[1]}/{name}.floats')
