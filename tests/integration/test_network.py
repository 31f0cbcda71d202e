"""Connections: TLS to Claude and to Redis, Unix sockets, TCP, passwords, ACL users, databases."""

import urllib.parse

from certificates import Certificates
from harness import Case, free_port, main


class Claude(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()

    def start_tls_simulator(self, **options):
        certificates = Certificates(self.folder, **options)
        simulator = self.start_simulator(
            "--tls-cert", certificates.cert, "--tls-key", certificates.key, ca_file=certificates.ca
        )
        return certificates, simulator

    def test_an_authority_of_ones_own_is_trusted_when_configured(self):
        certificates, simulator = self.start_tls_simulator()
        self.start_daemon(claude_ca_file=certificates.ca)
        self.assertIn("Ada", self.ask("My name is Ada.")["reply"])
        self.ask("What is my name?")
        # Both over one connection; the test's own are not counted while it asks.
        self.assertLessEqual(simulator.stats()["open_connections"], 2)

    def test_by_name_too(self):
        certificates, simulator = self.start_tls_simulator()
        self.start_daemon(
            claude_ca_file=certificates.ca, claude_base_url=f"https://localhost:{simulator.port}"
        )
        self.assertEqual(self.ask()["status"], "ok")

    def test_an_unknown_authority_is_refused(self):
        self.start_tls_simulator()
        daemon = self.start_daemon(claude_max_retries=0, queue_retry_for_ms=0)
        reply = self.reply(self.push())
        self.assert_error(reply, "claude_unavailable")
        self.assertIn("gave no answer", reply["error"]["message"])
        self.assertIn("certificate", reply["error"]["message"].lower())
        self.assertEqual(self.claude.requests(), [])
        self.assertIsNone(daemon.status)

    def test_a_certificate_for_another_name_is_refused(self):
        certificates, simulator = self.start_tls_simulator(subject_names="DNS:elsewhere.example")
        simulator_url = f"https://localhost:{simulator.port}"
        self.start_daemon(
            claude_ca_file=certificates.ca,
            claude_base_url=simulator_url,
            claude_max_retries=0,
            queue_retry_for_ms=0,
        )
        self.assert_error(self.reply(self.push()), "claude_unavailable")

    def test_https_to_a_server_without_tls_is_an_error(self):
        self.start_fake()
        self.start_daemon(
            claude_base_url=self.claude.url.replace("http:", "https:"),
            claude_max_retries=0,
            queue_retry_for_ms=0,
        )
        self.assert_error(self.reply(self.push()), "claude_unavailable")


class Redis(Case):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def check_works(self, client=None, **settings):
        daemon = self.start_daemon(client=client, **settings)
        self.assertEqual(self.reply(self.push(client=client), client=client)["status"], "ok")
        return daemon

    def test_a_unix_socket(self):
        self.start_redis()
        self.check_works(redis_url="unix://" + self.redis.socket)

    def test_a_unix_socket_with_a_name_that_needs_encoding(self):
        server = self.start_redis(name="a redis%é")
        self.check_works(redis_url="unix://" + urllib.parse.quote(server.socket))

    def test_tcp(self):
        port = free_port()
        self.start_redis("--port", str(port))
        self.check_works(redis_url=f"redis://127.0.0.1:{port}")

    def test_tcp_by_name(self):
        port = free_port()
        self.start_redis("--port", str(port), "--bind", "127.0.0.1")
        self.check_works(redis_url=f"redis://localhost:{port}/0")

    def test_a_database_by_number(self):
        self.start_redis()
        third = self.redis.connect(db=3)
        self.check_works(client=third, redis_url=f"unix://{self.redis.socket}?db=3")
        self.assertEqual(self.redis.client.dbsize(), 0)
        port = free_port()
        server = self.start_redis("--port", str(port), name="redis2")
        self.check_works(client=server.connect(db=5), redis_url=f"redis://127.0.0.1:{port}/5")

    def test_a_password(self):
        self.start_redis("--requirepass", "p@ss:w/rd", client_options={"password": "p@ss:w/rd"})
        daemon = self.check_works(redis_url=f"unix://:p%40ss%3Aw%2Frd@{self.redis.socket}")
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("p@ss", daemon.log())
        self.assertNotIn("p%40ss", daemon.log())

    def test_a_wrong_password_is_said_and_tried_again(self):
        self.start_redis("--requirepass", "right", client_options={"password": "right"})
        daemon = self.start_daemon(ready=False, redis_url=f"unix://:wrong-secret@{self.redis.socket}")
        daemon.wait_for_log("WRONGPASS")
        self.assertNotIn("wrong-secret", daemon.log())
        self.redis.client.config_set("requirepass", "wrong-secret")
        daemon.wait_until_ready(self.redis.connect(password="wrong-secret"))

    def test_a_user_of_the_acl_with_rights_to_its_own_keys_alone(self):
        self.start_redis()
        self.redis.client.execute_command(
            "ACL",
            "SETUSER",
            "engram",
            "on",
            ">secret",
            "~engram:*",
            "&engram:*",
            "+@all",
            "-@admin",
            "-@dangerous",
        )
        self.redis.client.execute_command("ACL", "SETUSER", "operator", "on", ">op", "~*", "&*", "+@all")
        operator = self.redis.connect(username="operator", password="op")
        self.assertTrue(operator.ping())
        operator.execute_command("ACL", "SETUSER", "default", "off")
        self.check_works(client=operator, redis_url=f"unix://engram:secret@{self.redis.socket}")

    def test_a_user_who_may_not_publish_still_gets_every_answer_into_its_list(self):
        self.start_redis()
        self.redis.client.execute_command(
            "ACL", "SETUSER", "engram", "on", ">secret", "~engram:*", "resetchannels", "+@all"
        )
        self.start_daemon(redis_url=f"unix://engram:secret@{self.redis.socket}")
        for n in range(3):
            self.assertEqual(self.ask(f"m{n}")["reply"], "Hello.")
        self.assert_idle()

    def test_a_reply_key_beyond_the_users_rights_costs_that_reply_alone(self):
        self.start_redis()
        self.redis.client.execute_command(
            "ACL", "SETUSER", "engram", "on", ">secret", "~engram:*", "&*", "+@all"
        )
        self.start_daemon(
            redis_url=f"unix://engram:secret@{self.redis.socket}", queue_reply_prefixes="elsewhere:"
        )
        self.push("lost", reply_to="elsewhere:1")
        self.assertEqual(self.ask("next")["reply"], "Hello.")
        self.assertEqual(len(self.dead_letters()), 1)

    def start_tls_redis(self):
        certificates, port = Certificates(self.folder), free_port()
        self.start_redis(
            "--tls-port",
            str(port),
            "--tls-cert-file",
            certificates.cert,
            "--tls-key-file",
            certificates.key,
            "--tls-ca-cert-file",
            certificates.ca,
            "--tls-auth-clients",
            "no",
            "--requirepass",
            "pw",
            client_options={"password": "pw"},
        )
        return certificates, port

    def test_tls(self):
        certificates, port = self.start_tls_redis()
        for host in ("localhost", "127.0.0.1"):
            with self.subTest(host=host):
                daemon = self.check_works(
                    redis_url=f"rediss://:pw@{host}:{port}/0", redis_ca_file=certificates.ca
                )
                self.assertEqual(daemon.stop(), 0)

    def test_tls_with_an_unknown_authority_is_refused(self):
        _, port = self.start_tls_redis()
        daemon = self.start_daemon(ready=False, redis_url=f"rediss://:pw@localhost:{port}")
        daemon.wait_for_log("certificate")
        self.assertEqual(self.redis.client.zcard("engram:instances"), 0)

    def test_engramctl_over_tls(self):
        certificates, port = self.start_tls_redis()
        self.check_works(redis_url=f"unix://:pw@{self.redis.socket}")
        answer = self.ctl(
            "--redis-ca-file", certificates.ca, "send", "hello", url=f"rediss://:pw@localhost:{port}"
        )
        self.assertEqual((answer.status, answer.out), (0, "Hello.\n"), answer)

    def test_something_that_is_not_redis_is_survived(self):
        self.start_redis()
        daemon = self.start_daemon(ready=False, redis_url=self.claude.url.replace("http:", "redis:"))
        daemon.wait_for_log("Redis")
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    main()
