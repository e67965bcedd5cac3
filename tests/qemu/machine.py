"""QEMU, told what to do through its monitor (QMP on standard input and output)."""
import json
import re
import shutil
import subprocess
import threading
import time

PROGRAM = shutil.which("qemu-system-x86_64")
PATIENCE = 60  # seconds until QEMU is given up


class Machine:
    def __init__(self, kernel, processors=1):
        self.process = subprocess.Popen(
            [PROGRAM, "-machine", "pc,accel=tcg", "-cpu", "max", "-smp", str(processors), "-m", "64",
             "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-nic", "none",
             "-kernel", kernel, "-qmp", "stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()
        self.command("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()

    def command(self, name, **arguments):
        self.process.stdin.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"QEMU {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"QEMU ended: {self.process.stderr.read().strip()[-300:]}")

    def monitor(self, line):
        return self.command("human-monitor-command", **{"command-line": line})

    def wait_halted(self, mark):
        """Until the guest has its marks in RAX and halts; then time stands still."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            text = self.monitor("info registers")
            if re.search(rf"[RE]AX={mark:x}\b", text) and "HLT=1" in text:
                self.command("stop")
                return self.monitor("info registers")
            time.sleep(0.05)
        raise RuntimeError(f"the guest did not get to its end: {text[:600]}")

    def formats(self):
        return self.command("query-dump-guest-memory-capability")["formats"]

    def dump(self, path, form, paging=False):
        arguments = {} if paging else {"format": form}
        self.command("dump-guest-memory", paging=paging, protocol=f"file:{path}", **arguments)

    def memory(self, path, size):
        self.command("pmemsave", val=0, size=size, filename=path)
        with open(path, "rb") as f:
            return f.read()

    def mapped(self):
        """(VA, PA) of every page, as QEMU walks the tables."""
        return [(int(a, 16), int(b, 16)) for a, b in
                re.findall(r"^([0-9a-f]+): ([0-9a-f]+) ", self.monitor("info tlb"), re.M)]

    def physical(self, va):
        answer = self.monitor(f"gva2gpa {va:#x}").strip()
        if answer == "Unmapped":
            return None
        return int(re.fullmatch(r"gpa: (0x[0-9a-f]+|0)", answer).group(1), 16)
