"""What DS-CNN hears: mel-frequency cepstral coefficients, as TensorFlow's audio operations compute them.

After S. Davis and P. Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word Recognition" (1980),
with the choices of the network's authors: 40 ms of sound every 20 ms, 40 bands from 20 to 4000 Hz, ten coefficients.
"""

import functools

import numpy as np

RATE = 16_000
SECOND = 16_000  # samples that the network hears at once
FRAME, HOP = 640, 320  # samples
TRANSFORM = 1_024  # points of the Fourier transform
BANDS, LOWEST_HZ, HIGHEST_HZ = 40, 20.0, 4_000.0
COEFFICIENTS = 10
FLOOR = 1e-12


def mfcc(waveform):
    """One second, float32 (16000,), −1…1, 16 kHz → float32 (49, 10), a row for each 20 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, FRAME)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * _hann(), TRANSFORM))
    bands = np.log(np.maximum(spectrum @ _filters(), FLOOR))
    return (bands @ _cosines()).astype(np.float32)


@functools.cache
def _hann():
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


@functools.cache
def _filters():
    """Float (513, 40): how much each frequency counts in each band, triangles on the mel scale that overlap by half."""
    spacing = (_mel(HIGHEST_HZ) - _mel(LOWEST_HZ)) / (BANDS + 1)
    hertz_per_bin = RATE / TRANSFORM
    weights = np.zeros((TRANSFORM // 2 + 1, BANDS))
    for number in range(int(1.5 + LOWEST_HZ / hertz_per_bin), int(HIGHEST_HZ / hertz_per_bin) + 1):
        place = (_mel(number * hertz_per_bin) - _mel(LOWEST_HZ)) / spacing  # band k has its peak at k + 1
        upper = int(np.ceil(place)) - 1
        for band in (upper - 1, upper):
            if 0 <= band < BANDS:
                weights[number, band] = 1 - abs(place - (band + 1))
    return weights


@functools.cache
def _cosines():
    """Float (40, 10): the discrete cosine transform, type II."""
    angles = np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(COEFFICIENTS))
    return np.sqrt(2 / BANDS) * np.cos(angles)


def _mel(hertz):
    return 1127.0 * np.log1p(hertz / 700.0)
