"""How well a recording holds a prompt, as one line of JSON.

Usage: compare.py PROMPT.wav ALAW.wav RECORDING.wav, all of them 8 kHz, mono, 16 bits. ALAW is the
prompt after a round trip through A-law by another program: what the best path can give.
"""

import json
import sys
import wave

import numpy
from pesq import pesq

RATE = 8000


def read(path):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), path
        # A recorder that is stopped may not have written its length: what is there counts.
        return numpy.frombuffer(file.readframes(1 << 30), "<i2").astype(numpy.float64)


def find(part, whole):
    """Where `part` fits best in `whole`, and how well (1 is the same)."""
    size = 1 << (len(whole) + len(part)).bit_length()
    product = numpy.fft.rfft(whole, size) * numpy.conj(numpy.fft.rfft(part, size))
    products = numpy.fft.irfft(product, size)[: len(whole) - len(part) + 1]
    sums = numpy.cumsum(numpy.concatenate(([0.0], whole**2)))
    energies = numpy.maximum(sums[len(part) :] - sums[: -len(part)], 1.0)
    fits = products / numpy.sqrt(energies * numpy.sum(part**2))
    best = int(numpy.argmax(fits))
    return best, float(fits[best])


prompt, alaw, recording = (read(path) for path in sys.argv[1:4])
# The loudest second of the first half and of the second: where they lie says whether anything was
# cut out or put in between. Silence at the ends holds nothing that could be found.
half = len(prompt) // 2
window = min(RATE, half)
places = []
for begin, end in ((0, half), (half, len(prompt))):
    sums = numpy.cumsum(numpy.concatenate(([0.0], prompt[begin:end] ** 2)))
    at = begin + int(numpy.argmax(sums[window:] - sums[:-window]))
    found, fit = find(prompt[at : at + window], recording)
    places.append((found - at, fit))
start = max(places[0][0], 0)
heard = recording[start : start + len(prompt)]
print(
    json.dumps(
        {
            "shift_ms": abs(places[1][0] - places[0][0]) * 1000 / RATE,
            "fit": min(fit for _, fit in places),
            "starts_ms": places[0][0] * 1000 / RATE,
            "missing_ms": (len(prompt) - len(heard)) * 1000 / RATE,
            "pesq": float(pesq(RATE, prompt, heard, "nb")),
            "pesq_alaw": float(pesq(RATE, prompt, alaw, "nb")),
        }
    )
)
