"""A real SLURM on this machine, for as long as a process wants it: `python tests/slurm/cluster.py [COMMAND]`.

It is Debian's slurm-wlm and munge without systemd, cgroups or accounting. The login host, with the controller, and each
node have a network, a host name, mounts and processes of their own, and share nothing but the file system: 127.0.0.1 of
n1 is not that of n2. All of it lives in one namespace of processes, which the kernel ends with the process that has
started it, however that ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PROGRAMS = {"munged": "munge", "slurmctld": "slurm-wlm", "ip": "iproute2", "unshare": "util-linux"}
PREFIX = "ganlit-slurm-"
SEARCHED = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]
PATH = os.pathsep.join(SEARCHED)  # jobs run the Python that runs this
NODES = ("n1", "n2", "n3")
PATIENCE = 90  # seconds for daemons, on a machine that others use too

CONFIG = """
ClusterName=ganlit
SlurmctldHost=login(10.213.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# a job that is queued again waits until the credentials of its last start have expired
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
# CPUs and memory are what is said here, and nobody watches over them
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
AccountingStorageType=accounting_storage/none
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,bf_interval=2,sched_interval=2
SlurmctldTimeout=30
SlurmdTimeout=10
KillWait=8
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
MaxArraySize=3
EnforcePartLimits=ALL
NodeName=n[1-3] NodeAddr=10.213.0.[11-13] CPUs=8 RealMemory=65536 State=UNKNOWN
PartitionName=DEFAULT State=UP MaxTime=INFINITE PreemptMode=OFF
PartitionName=main Nodes=n[1-2] Default=YES
# n3 fails and is preempted without a harm to the jobs of others
PartitionName=low Nodes=n[2-3] PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=high Nodes=n[2-3] PriorityTier=2
"""

HOSTS = "127.0.0.1 localhost\n10.213.0.1 login\n10.213.0.11 n1\n10.213.0.12 n2\n10.213.0.13 n3\n"

LOGIN = """
set -e
echo login > /proc/sys/kernel/hostname
mount --bind hosts /etc/hosts
: > nothing
[ ! -e /etc/resolv.conf ] || mount --bind nothing "$(readlink -f /etc/resolv.conf)"  # no name server to wait for
mount -t tmpfs tmpfs /run  # in which ip keeps the names of networks
ip link set lo up
ip link add br0 type bridge
ip addr add 10.213.0.1/24 dev br0
ip link set br0 up
for i in 1 2 3; do
    ip netns add n$i
    ip link add n$i type veth peer name eth0 netns n$i
    ip link set n$i master br0 up
    ip -n n$i addr add 10.213.0.1$i/24 dev eth0
    ip -n n$i link set eth0 up
    ip -n n$i link set lo up
done
mungekey --create --keyfile munge.key
munged --force --key-file=$PWD/munge.key --socket=$PWD/munge.socket --pid-file=$PWD/munge.pid \\
    --seed-file=$PWD/munge.seed --log-file=$PWD/munged.log
: > ready
slurmctld -D -f "$PWD/slurm.conf" &
wait  # and collect orphans, as the first process must
"""

NODE = """
echo $0 > /proc/sys/kernel/hostname
slurmd -D -N $0 -f "$PWD/slurm.conf" &
wait
"""

APART = ["--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


class Cluster:
    """One cluster, from `up` to `down`; clusters of several processes do not meet.

    Attributes:
        folder: configuration, logs and state. Its path is short, as those of sockets must be.
    """

    def up(self) -> None:
        """Starts it and waits until all nodes are idle; from the main thread, whose end is that of the cluster.

        Raises:
            RuntimeError: it did not come up; what the daemons said.
        """
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
        self.folder.chmod(0o755)  # munge trusts no socket in a closed folder
        (self.folder / "owner").write_text(f"{os.getpid()} {started(os.getpid())}")
        (self.folder / "state").mkdir()
        (self.folder / "hosts").write_text(HOSTS)
        (self.folder / "slurm.conf").write_text(CONFIG.format(folder=self.folder))
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        apart = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", *APART, "--propagation", "slave"]
        self.login = self._daemon("login", [*apart, "bash", "-c", LOGIN])
        try:
            self._await("the login host", (self.folder / "ready").exists)
            for node in NODES:
                self._start(node)
            self._await("the nodes", lambda: self.states() == dict.fromkeys(NODES, "idle"))
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Ends every daemon and every job, and leaves nothing."""
        self.login.kill()
        for process in (self.login, *self.nodes.values()):
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def exec(self, *command: str, folder: Path | None = None, check: bool = True, **options: object) -> str:
        """What a command prints on the login host, where sbatch, squeue and the others reach the controller.

        Raises:
            subprocess.CalledProcessError: it fails and `check` is set.
        """
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "check": check} | options
        return subprocess.run(self._on_login(command, folder), **options).stdout

    def states(self) -> dict[str, str]:
        """What SLURM thinks of each node: idle, mixed, down, ..."""
        lines = self.exec("sinfo", "--noheader", "-N", "-o", "%N %T", check=False).splitlines()
        return dict(line.split()[:2] for line in lines if line.startswith(NODES))

    def crash(self, node: str) -> None:
        """Cuts a node off and ends all that runs on it, as a failure of its power supply would: nobody is told."""
        self.exec("ip", "link", "set", node, "down")
        self.exec("kill", "-KILL", self.exec("cat", f"{self.folder}/{node}.pid").strip())
        self.nodes.pop(node).wait()

    def revive(self, node: str) -> None:
        """Starts a crashed node again and waits until it can work."""
        self.exec("ip", "link", "set", node, "up")
        self._start(node)
        self._await(node, lambda: self.states()[node] in ("idle", "mixed", "allocated"))

    def _start(self, node: str) -> None:
        (self.folder / f"spool-{node}").mkdir(exist_ok=True)
        apart = f"nsenter --net=/run/netns/{node} unshare {' '.join(APART)} bash -c '{NODE}' {node}"
        noting = f"echo $$ > {node}.pid; exec {apart}"  # the number by which the login host knows it
        self.nodes[node] = self._daemon(node, self._on_login(["bash", "-c", noting], self.folder))

    def _on_login(self, command: tuple[str, ...] | list[str], folder: Path | None = None) -> list[str]:
        process = self.login.pid
        (first,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        enter = ["nsenter", "--target", first, "--net", "--uts", "--mount", "--pid"]
        there = [f"--chdir={folder or Path.cwd()}", f"SLURM_CONF={self.folder}/slurm.conf", f"PATH={PATH}"]
        return [*enter, "env", *there, *command]

    def _daemon(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "start_new_session": True}
            return subprocess.Popen(command, cwd=self.folder, env=os.environ | {"PATH": PATH}, **options)

    def _await(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            ended = any(process.poll() is not None for process in (self.login, *self.nodes.values()))
            if ended or time.monotonic() > deadline:
                logs = [f"{path.name}: {path.read_text(errors='replace')[-500:]}" for path in self.folder.glob("*.log")]
                raise RuntimeError("\n".join([f"{what} did not come up", *logs]))
            time.sleep(0.2)


def obstacle() -> str | None:
    """Why there cannot be a cluster on this machine, if so."""
    missing = sorted({package for tool, package in PROGRAMS.items() if shutil.which(tool, path=PATH) is None})
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.geteuid():
        return "only root can give nodes a network of their own"
    trial = ["unshare", "--net", *APART, "sh", "-c", "ip link add br0 type bridge"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else None


def started(process: int) -> str | None:
    """When a process began, in ticks: with its number it is not mistaken for a later one."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return None


def sweep() -> None:
    """Removes folders of clusters whose owner was killed; their processes the kernel has ended with it."""
    for folder in Path("/tmp").glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            process, since = (folder / "owner").read_text().split()
            if started(int(process)) != since:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if reason := obstacle():
        sys.exit(reason)
    cluster = Cluster()
    cluster.up()
    try:
        cluster.exec(*(sys.argv[1:] or ["bash"]), check=False, stdout=None, stderr=None)
    finally:
        cluster.down()
