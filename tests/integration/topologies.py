"""Redis as it is run for real: a master with replicas and Sentinels, and a cluster."""

import os
import random
import socket
import socketserver
import threading

import redis

from processes import PATIENCE, Process, Redis, eventually

SERVICE = "chat-store"
NODE_TIMEOUT_MS = 1000


def free_ports(count):
    """Below those that the kernel gives away by itself, so that a server can come back to its own."""
    held = []
    while len(held) < count:
        candidate = socket.socket()
        try:
            candidate.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
            held.append(candidate)
        except OSError:
            candidate.close()
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Server(Redis):
    """One with a port, beside the Unix socket that the tests themselves use."""

    def __init__(self, folder, name, port, *arguments, password=None):
        self.port = port
        arguments = ["--port", str(port), "--bind", "127.0.0.1", "--appendfsync", "everysec", *arguments]
        options = {"socket_timeout": PATIENCE}
        if password:
            arguments += ["--requirepass", password, "--masterauth", password]
            options["password"] = password
        super().__init__(folder, arguments, name, options)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def role(self):
        """master or slave; None if it does not say."""
        try:
            return self.connect(socket_timeout=1).execute_command("ROLE")[0].decode()
        except redis.exceptions.RedisError:
            return None

    def is_running(self):
        return self.process is not None and self.process.status is None


class Sentinel:
    def __init__(self, folder, name, port, master, password=None, redis_password=None):
        self.port, self.password = port, password
        path = os.path.join(folder, name + ".conf")
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {folder}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} 1000",
            f"sentinel failover-timeout {SERVICE} 4000",
            f"sentinel parallel-syncs {SERVICE} 2",
        ]
        if password:
            lines += [f"requirepass {password}", f"sentinel sentinel-pass {password}"]
        if redis_password:
            lines.append(f"sentinel auth-pass {SERVICE} {redis_password}")
        with open(path, "w") as f:  # it keeps its state there
            f.write("\n".join(lines) + "\n")
        self.process = Process(name, folder, ["redis-server", path, "--sentinel"])
        self.client = redis.Redis(port=port, password=password, socket_timeout=2, decode_responses=True)
        # A Sentinel looks at everything once in ten seconds, unless told to hurry.
        eventually(
            lambda: self.ask("DEBUG", "info-period", "500", "publish-period", "200"), f"{name} answers"
        )

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def ask(self, *arguments):
        try:
            return self.client.execute_command("SENTINEL", *arguments)
        except redis.exceptions.RedisError:
            return None

    def master_port(self):
        """None while it cannot say."""
        address = self.ask("GET-MASTER-ADDR-BY-NAME", SERVICE)
        return int(address[1]) if address else None

    def knows_all(self, replicas, sentinels):
        known = self.ask("REPLICAS", SERVICE)
        others = self.ask("SENTINELS", SERVICE)
        if known is None or others is None:
            return False
        states = [dict(zip(fields[::2], fields[1::2])) for fields in known]
        well = [s for s in states if s["flags"] == "slave" and s["master-link-status"] == "ok"]
        return len(well) == len(states) == replicas and len(others) == sentinels


class StaleSentinel(socketserver.ThreadingTCPServer):
    """What a Sentinel says that no other Sentinel has told of a failover."""

    daemon_threads = True

    def __init__(self, master_port):
        super().__init__(("127.0.0.1", 0), _StaleAnswers)
        self.master_port, self.asked = master_port, 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def stop(self):
        self.shutdown()
        self.server_close()


class _StaleAnswers(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(4096):
            self.server.asked += 1
            port = str(self.server.master_port)
            self.request.sendall(f"*2\r\n$9\r\n127.0.0.1\r\n${len(port)}\r\n{port}\r\n".encode())


class Watched:
    """A master, two replicas and three Sentinels that agree about them."""

    def __init__(self, folder, password=None, sentinel_password=None):
        ports = free_ports(6)
        quick = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
        self.servers = [
            Server(folder, f"redis{n}", port, *quick, password=password) for n, port in enumerate(ports[:3])
        ]
        self.sentinels = []
        self.first_master = self.servers[0].start()
        for replica in self.servers[1:]:
            replica.start().client.replicaof("127.0.0.1", self.first_master.port)
        self.await_replicas(2)
        for n, port in enumerate(ports[3:]):
            self.sentinels.append(
                Sentinel(folder, f"sentinel{n}", port, self.first_master, sentinel_password, password)
            )
        self.await_agreement()

    @property
    def processes(self):
        return [each.process for each in [*self.servers, *self.sentinels] if each.process]

    def master(self):
        """The server that the Sentinels name, once it says so itself."""

        def named():
            for sentinel in self.sentinels:
                if sentinel.process.status is not None:
                    continue
                port = sentinel.master_port()
                server = next((s for s in self.servers if s.port == port), None)
                if server and server.is_running() and server.role() == "master":
                    return server
            return None

        return eventually(named, "there is a master")

    def await_replicas(self, count):
        def are_there():
            states = self.master().client.info("replication") if self.sentinels else None
            states = states or self.first_master.client.info("replication")
            replicas = [states[f"slave{n}"] for n in range(states["connected_slaves"])]
            return len(replicas) == count and all(r["state"] == "online" for r in replicas)

        eventually(are_there, f"{count} replicas are connected")

    def await_agreement(self):
        eventually(
            lambda: all(s.knows_all(len(self.servers) - 1, len(self.sentinels) - 1) for s in self.sentinels),
            "the Sentinels know each other and every replica",
        )

    def await_new_master(self, old):
        eventually(lambda: self.master() is not old, "another master is named")
        return self.master()

    def stop(self):
        for process in self.processes:
            process.kill()


class Cluster:
    """Three masters, each with one replica."""

    MASTERS = 3

    def __init__(self, folder, *arguments):
        ports = free_ports(4 * self.MASTERS)
        self.nodes = []
        for n in range(2 * self.MASTERS):
            own = ["--cluster-enabled", "yes", "--cluster-port", str(ports[2 * n + 1])]
            own += ["--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--cluster-replica-validity-factor", "0"]
            own += ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", *arguments]
            node = Server(folder, f"node{n}", ports[2 * n], *own)
            node.bus_port = ports[2 * n + 1]
            self.nodes.append(node.start())
        self._join()

    @property
    def processes(self):
        return [node.process for node in self.nodes if node.process]

    def _join(self):
        masters, replicas = self.nodes[: self.MASTERS], self.nodes[self.MASTERS :]
        first = masters[0].client
        for n, node in enumerate(self.nodes):
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            node.id = node.client.execute_command("CLUSTER", "MYID").decode()
        for n, node in enumerate(masters):
            begin, end = n * 16384 // self.MASTERS, (n + 1) * 16384 // self.MASTERS - 1
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", begin, end)
        for node in self.nodes[1:]:
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)
        for master, replica in zip(masters, replicas):
            eventually(lambda: self._knows(replica, master), f"{replica.name} knows {master.name}")
            replica.client.execute_command("CLUSTER", "REPLICATE", master.id)
        eventually(lambda: all(self._is_well(node) for node in self.nodes), "the cluster is up")

    def _knows(self, node, other):
        return other.id.encode() in node.client.execute_command("CLUSTER", "NODES", NEVER_DECODE="")

    def _is_well(self, node):
        info = node.client.execute_command("CLUSTER", "INFO", NEVER_DECODE="")
        ranges = node.client.execute_command("CLUSTER", "SLOTS", NEVER_DECODE="")
        return (
            b"cluster_state:ok" in info and all(len(r) == 4 for r in ranges) and len(ranges) == self.MASTERS
        )

    @staticmethod
    def _takes_writes(node):
        info = node.client.execute_command("CLUSTER", "INFO", NEVER_DECODE="")
        return node.role() == "master" and b"cluster_state:ok" in info

    def running(self):
        return [node for node in self.nodes if node.is_running()]

    def slot_of(self, key):
        return self.running()[0].client.execute_command("CLUSTER", "KEYSLOT", key)

    def places_of(self, slot):
        """The owner of a slot, which says itself that it is one and takes writes, and its replicas, of those
        that run."""

        def found():
            for node in self.running():
                for begin, end, *places in node.client.execute_command("CLUSTER", "SLOTS", NEVER_DECODE=""):
                    if not begin <= slot <= end:
                        continue
                    servers = [self._at(place[1]) for place in places]
                    if servers[0].is_running() and self._takes_writes(servers[0]):
                        return servers[0], [s for s in servers[1:] if s.is_running()]
            return None

        return eventually(found, f"somebody owns slot {slot}")

    def owner_of(self, slot):
        return self.places_of(slot)[0]

    def _at(self, port):
        return next(node for node in self.nodes if node.port == port)

    def stop(self):
        for process in self.processes:
            process.kill()
