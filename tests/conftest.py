"""What holds for all tests: generated examples are the same in every run, nothing is timed, signals are heard."""

import signal

from hypothesis import settings

settings.register_profile("becalm", derandomize=True, deadline=None)
settings.load_profile("becalm")

# A shell that starts the tests in the background, or with nohup, lets them ignore these signals, and every program
# that a test starts would ignore them too. Tests of stopped runs send them.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGTERM, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)
