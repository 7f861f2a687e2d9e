#!/usr/bin/env python3
"""What ./dev promises without starting anything: run on a copy of the script in an empty folder."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class DevScript(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        shutil.copy(ROOT / "dev", self.root)
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        self.services = self.root / "build/services"
        self.services.mkdir(parents=True)

    def tearDown(self):
        self.folder.cleanup()

    def dev(self, *arguments, cwd="/"):
        return subprocess.run([self.root / "dev", *arguments], cwd=cwd, check=False, timeout=60,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def test_help_names_every_command(self):
        text = self.dev("help").stdout
        for command in ("setup", "build", "test", "shop", "services", "bench", "format", "lint"):
            self.assertIn(f"./dev {command}", text)

    def test_what_it_does_not_know_fails_and_says_so(self):
        for arguments in (["nonsense"], ["services", "nonsense"], ["services", "down", "mysql"],
                          ["setup", "nonsense"]):
            answer = self.dev(*arguments)
            self.assertNotEqual(answer.returncode, 0)
            self.assertIn(arguments[-1], answer.stderr)

    def test_setup_is_silent_and_quick_when_nothing_is_missing(self):
        start = time.monotonic()
        answer = self.dev("setup", "build")
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "", ""))
        self.assertLess(time.monotonic() - start, 1)

    def test_a_file_of_orders_is_for_the_replay_and_for_the_page(self):
        answer = subprocess.run(
            ["bash", "-c", "build_dir=build; . scripts/shop.sh; given --data \"$@\"", "shop",
             "--port", "1", "--data", "a file.csv", "--address=::1", "--data=b.csv", "--data"],
            cwd=self.root, check=True, timeout=60, capture_output=True, text=True)
        self.assertEqual(answer.stdout, "--data\0a file.csv\0--data=b.csv\0--data\0")

    def sourced(self, script, *arguments, parts=("services", "postgres")):
        """What functions of ./dev do."""
        text = "set -euo pipefail; root=. build_dir=build\n" + "".join(
            f". scripts/{part}.sh\n" for part in parts) + script
        return subprocess.run(["bash", "-c", text, "dev", *arguments], cwd=self.root, check=False,
                              timeout=60, capture_output=True, text=True)

    def test_after_a_crash_another_process_is_not_taken_for_the_server(self):
        other = subprocess.Popen(["tail", "-f", os.devnull])
        try:
            data = self.services / "postgres/data"
            data.mkdir(parents=True)
            named = data / "postmaster.pid"
            named.write_text(f"{other.pid}\n")
            end = self.services / "pg_ctl"
            end.write_text(f"#!/bin/sh\nkill $(head -n 1 {named})\n")
            end.chmod(0o755)
            answer = self.sourced("as_postgres() { \"$@\"; }\n"
                                  "postgres_end_unrecorded build/services build/services/postgres")
            self.assertEqual((answer.returncode, answer.stderr), (0, ""))
            self.assertIsNone(other.poll())
            self.assertFalse(named.exists(), "it would keep the server from starting")
        finally:
            other.kill()
            other.wait()

    def test_a_server_named_in_the_environment_is_the_one_that_is_used(self):
        answer = self.sourced("""
            services_use() { :; }
            for name in postgres kafka; do eval "${name}_is_up() { :; }"; done
            postgres_env() { echo "export RECOUNT_TEST_POSTGRES=private"; }
            kafka_env() { echo "export RECOUNT_TEST_KAFKA=private"; }
            unset RECOUNT_TEST_POSTGRES
            service_names=(postgres kafka) RECOUNT_TEST_KAFKA=named
            services_start_own
            echo "$RECOUNT_TEST_POSTGRES $RECOUNT_TEST_KAFKA"; services_env | wc -l""")
        self.assertEqual(answer.stdout.split(), ["private", "named", "2"], answer.stderr)

    def test_servers_that_are_down_are_said_to_be_down(self):
        status = self.dev("services", "status").stdout.split("\n")
        self.assertEqual([line.split() for line in status if line],
                         [["postgres", "down"], ["kafka", "down"]])
        self.assertEqual(self.dev("services", "env").stdout, "")
        self.assertEqual(self.dev("services", "down").returncode, 0)

    def test_a_recorded_id_that_now_is_another_process_is_left_alone(self):
        other = subprocess.Popen(["tail", "-f", os.devnull])
        try:
            for name in ("postgres", "kafka"):
                (self.services / f"{name}.pid").write_text(f"{other.pid}\n")
                (self.services / f"{name}.port").write_text("9\n")
            self.assertNotIn(" up ", self.dev("services", "status").stdout)
            self.assertEqual(self.dev("services", "down").returncode, 0)
            self.assertIsNone(other.poll())
        finally:
            other.kill()
            other.wait()

    def test_what_runs_under_its_own_name_is_ended(self):
        properties = self.services / "kafka/server.properties"
        broker = subprocess.Popen(["tail", "-f", os.devnull, "--pid", str(os.getpid()), "--",
                                   str(properties)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            (self.services / "kafka.pid").write_text(f"{broker.pid}\n")
            (self.services / "kafka.port").write_text("9\n")
            self.assertEqual(self.dev("services", "down", "kafka").returncode, 0)
            self.assertEqual(broker.wait(timeout=10), -15)
            self.assertFalse((self.services / "kafka.pid").exists())
        finally:
            broker.kill()
            broker.wait()

    # A server that is no more than a file, and a process that would inherit what its starter held.
    FAKE = """
        set -euo pipefail
        root=$1 build_dir=$1/build
        say() { printf '%s\\n' "$*" >&2; }
        die() { say "dev: $*"; exit 1; }
        source "$root/scripts/services.sh"
        service_names=(fake)
        fake_is_up() { [[ -e $services_dir/fake.pid ]]; }
        fake_start() {
          sleep 600 9>&- </dev/null >/dev/null 2>&1 &
          echo $! >"$services_dir/fake.pid"
        }
        fake_stop() { kill "$(recorded fake.pid)"; rm "$services_dir/fake.pid"; }
    """

    def fake(self, script):
        return subprocess.Popen(["bash", "-c", self.FAKE + script, "dev", self.root],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run_with_servers(self):
        run = self.fake("trap services_stop_own EXIT; services_use fake; echo up; read -r _")
        self.addCleanup(run.communicate)
        self.assertEqual(run.stdout.readline(), "up\n")
        return run

    def end(self, run):
        run.communicate("\n", timeout=20)
        self.assertEqual(run.returncode, 0)

    def fake_is_up(self):
        return (self.services / "fake.pid").exists()

    def test_servers_of_two_runs_end_with_the_last(self):
        for last in (0, 1):
            runs = [self.run_with_servers(), self.run_with_servers()]
            self.end(runs.pop(1 - last))
            self.assertTrue(self.fake_is_up())
            self.end(runs[0])
            self.assertFalse(self.fake_is_up())

    def test_servers_of_a_run_that_was_killed_end_with_the_next(self):
        killed = self.run_with_servers()
        killed.kill()
        killed.wait()
        self.assertTrue(self.fake_is_up())
        self.end(self.run_with_servers())
        self.assertFalse(self.fake_is_up())

    def test_servers_that_a_person_started_outlive_runs(self):
        self.end(self.fake("services_up fake"))
        self.end(self.run_with_servers())
        self.assertTrue(self.fake_is_up())
        self.end(self.fake("services_down fake"))
        run = self.run_with_servers()
        self.end(self.fake("services_up fake"))  # wants to keep what the run had started
        self.end(run)
        self.assertTrue(self.fake_is_up())
        self.end(self.fake("services_down fake"))
        self.assertFalse(self.fake_is_up())

    def test_data_of_another_user_is_left_where_it_is(self):
        data = self.services / "postgres/data"
        data.mkdir(parents=True)
        self.end(self.fake("as_postgres() { false; }; chown() { :; }; postgres_choose_home"))
        home = Path((self.services / "postgres.home").read_text().strip())
        self.assertTrue(data.exists())
        self.assertTrue(home.exists())
        if os.geteuid() == 0:
            self.assertEqual(home.parent, Path("/var/tmp"))
            home.rmdir()


if __name__ == "__main__":
    unittest.main()
