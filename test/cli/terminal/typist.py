"""Runs a command on a terminal of its own and types into it.

usage: typist.py SCRIPT COMMAND...   SCRIPT is JSON: a list of [wait for this text, then send this] pairs;
what is sent may also be {"signal": number}. Prints JSON: status, signal, output, and whether the
terminal had its modes changed meanwhile and back in the end.
"""
import json
import os
import pty
import select
import signal
import sys
import termios
import time

TIMEOUT = float(os.environ.get("TYPIST_SECONDS", 40))


def modes(fd):
    return termios.tcgetattr(fd)[:4]


def main():
    script = json.loads(sys.argv[1])
    master, slave = pty.openpty()
    before = modes(slave)
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(master)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.execvp(sys.argv[2], sys.argv[2:])
    output = b''
    seen = 0
    was_raw = False
    end = time.monotonic() + TIMEOUT
    status = None
    while True:
        ready, _, _ = select.select([master], [], [], 0.05)
        if ready:
            output += os.read(master, 65536)
        was_raw = was_raw or modes(slave) != before
        while script and script[0][0].encode('latin1') in output[seen:]:
            text, send = script.pop(0)
            seen = output.index(text.encode('latin1'), seen) + len(text)
            if isinstance(send, dict):
                os.kill(child, send['signal'])
            else:
                os.write(master, send.encode('latin1'))
        if status is not None and not ready:
            break
        if status is None:
            pid, ended = os.waitpid(child, os.WNOHANG)
            if pid != 0:
                status = ended
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            break
    print(json.dumps({
        'status': os.waitstatus_to_exitcode(status) if status is not None else None,
        'output': output.decode('latin1'),
        'wasRaw': was_raw,
        'isRestored': modes(slave) == before,
        'left': len(script),
    }))


main()
