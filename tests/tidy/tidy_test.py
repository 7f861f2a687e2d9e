#!/usr/bin/env python3
"""Shows that each rule of tidy.py bites, and that it leaves alone what is right."""

import json
import tempfile
import unittest
from pathlib import Path

import cxx
import reflow
import tidy

HEADER = "#pragma once\n"


def rules_broken_by(files, build=None):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            target = Path(root, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        if build is not None:
            entries = [{"directory": root, "file": f} for f in build]
            Path(root, "build").mkdir()
            Path(root, "build/compile_commands.json").write_text(json.dumps(entries))
        tree = tidy.Tree(root, Path(root, "build") if build is not None else None)
        return sorted({rule for _, _, rule, _ in tidy.check(tree)})


class Tidy(unittest.TestCase):
    def breaks(self, rule, path, text):
        self.assertEqual(rules_broken_by({path: text}), [rule], text)

    def keeps(self, path, text):
        self.assertEqual(rules_broken_by({path: text}), [], text)

    def test_lines_end_at_column_100(self):
        self.keeps("core/src/a.cpp", "// " + "é" * 97 + "\n")
        self.breaks("long_lines", "core/src/a.cpp", "// " + "x" * 98 + "\n")

    def test_files_stay_below_300_lines(self):
        self.keeps("core/src/a.cpp", "int a;\n" * 299)
        self.breaks("long_files", "core/src/a.cpp", "int a;\n" * 300)

    def test_umbrella_headers_stay_below_30_lines(self):
        self.keeps("core/include/recount/core.hpp", HEADER + "int a;\n" * 28)
        self.breaks("long_files", "core/include/recount/core.hpp", HEADER + "int a;\n" * 29)

    def test_functions_stay_below_70_lines(self):
        self.keeps("core/src/a.cpp", "int f(int x) {\n" + "++x;\n" * 67 + "}\n")
        for head in ("int f(int x) {", "TEST(Suite, Case) {", "A::A(int x) : x_{x}, y_(x) {",
                     "template <class T>\nvoid f(std::map<T, int> x = {}) noexcept {",
                     "auto f = [](int x) {"):
            self.breaks("long_functions", "core/src/a.cpp",
                        "namespace a {\n" + head + "\n" + "if (x) {\n}\n" * 35 + "}\n}\n")

    def test_methods_count_one_by_one(self):
        method = "    void f() {\n" + "        ++x;\n" * 40 + "    }\n"
        self.keeps("core/src/a.cpp", "class A {\n" + method * 3 + "};\n")

    def test_unfinished_work_is_named(self):
        for word in ("TODO", "FIXME", "not implemented", "for now", "a placeholder"):
            self.breaks("unfinished", "core/src/a.cpp", f"// {word}: later\n")
            self.breaks("unfinished", "README.md", f"It is {word}.\n")
        self.keeps("samples/page.html", '<input placeholder="sku">\n')

    def test_paths_of_one_machine_are_named(self):
        self.breaks("unfinished", "README.md", "See /home/ada/notes.\n")
        self.keeps("README.md", "See ../home/page and /usr/lib/postgresql.\n")

    def test_waiting_and_time_go_through_the_environment(self):
        for code in ("std::this_thread::sleep_for(1s);", "std::condition_variable ready;",
                     "auto t = std::chrono::system_clock::now();", "std::jthread worker;",
                     "std::random_device chance;"):
            self.breaks("ambient", "saga/src/a.cpp", code + "\n")
            self.keeps("core/src/system_environment.cpp", code + "\n")
            self.keeps("saga/src/a.cpp", f"// {code}\n")
        self.keeps("samples/shop/main.cpp", "std::jthread worker;\n")
        self.breaks("ambient", "tests/core/a_test.cpp", "std::this_thread::sleep_for(1s);\n")

    def test_foreign_things_stay_in_their_file(self):
        self.keeps("eventstore/src/sqlite_connection.cpp", "#include <sqlite3.h>\n")
        self.breaks("foreign", "eventstore/src/other.cpp", "#include <sqlite3.h>\n")
        self.breaks("foreign", "eventstore/src/other.cpp", "#include <pqxx/pqxx>\n")
        self.breaks("foreign", "samples/shop/other.cpp", "#include <pqxx/pqxx>\n")
        self.keeps("samples/outbox/other.cpp", "#include <pqxx/pqxx>\n")
        self.breaks("foreign", "eventstore/src/other.cpp", '#include "librdkafka/rdkafka.h"\n')
        self.breaks("foreign", "outbox/include/recount/outbox/kafka.hpp",
                    HEADER + "#include <librdkafka/rdkafka.h>\n")
        self.assertEqual(rules_broken_by({
            "eventstore/src/sqlite_connection.cpp": "#include <sqlite3.h>\n",
            "projections/src/sqlite_view.cpp": "#include <sqlite3.h>\n"}), ["foreign"])

    def test_arrows_point_up_only(self):
        self.keeps("saga/src/a.cpp", "#include <recount/eventstore/log.hpp>\n")
        self.keeps("core/src/a.cpp", '#include "recount/core/a.hpp"\n')
        self.breaks("layers", "core/src/a.cpp", "#include <recount/eventstore.hpp>\n")
        self.breaks("layers", "outbox/src/a.cpp", "#include <recount/projections.hpp>\n")

    def test_layout(self):
        self.breaks("layout", "core/src/a.cpp", "int a; \n")
        self.breaks("layout", "core/src/a.cpp", "\tint a;\n")
        self.breaks("layout", "core/src/a.hpp", "int a;\n")

    def test_every_source_is_compiled(self):
        files = {"core/src/a.cpp": "int a;\n", "core/src/b.cpp": "int b;\n",
                 "tests/core/compile_fail/c.cpp": "int c\n"}
        self.assertEqual(rules_broken_by(files, ["core/src/a.cpp", "core/src/b.cpp"]), [])
        self.assertEqual(rules_broken_by(files, ["core/src/a.cpp"]), ["compiled"])

    def test_code_blocks_equal_their_regions(self):
        source = ("namespace a {\n    // [counter]\n    int f();\n\n        int g();\n"
                  "    // [counter]\n}\n")
        page = "<!-- region samples/a.cpp#counter -->\n```cpp\nint f();\n\n    int g();\n```\n"
        self.assertEqual(rules_broken_by({"samples/a.cpp": source, "README.md": page}), [])
        for broken in (page.replace("int g", "int h"), page.replace("#counter", "#other"),
                       page.replace("samples/a.cpp", "samples/b.cpp"),
                       page.replace("```cpp\n", "then\n```cpp\n")):
            self.assertEqual(rules_broken_by({"samples/a.cpp": source, "README.md": broken}),
                             ["regions"], broken)

    def test_every_metric_is_in_the_table(self):
        counted = 'metrics.counter("recount_a_total", "As").add();\n'
        self.breaks("metrics", "core/src/a.cpp", counted)
        self.keeps("tests/core/a_test.cpp", counted)
        table = {"core/README.md": "| `recount_a_total` | counter |\n"}
        self.assertEqual(rules_broken_by({"core/src/a.cpp": counted, **table}), [])


class Reflow(unittest.TestCase):
    def test_only_what_is_too_long_is_broken_anew(self):
        long = "    /// " + "word " * 18 + "longer than"
        self.assertEqual(reflow.reflow([long, "    /// the line.", "    ///     a | table",
                                        "    /// stays"]),
                         ["    /// " + ("word " * 18).strip(), "    /// longer than the line.",
                          "    ///     a | table", "    /// stays"])
        self.assertEqual(reflow.reflow(["// a", "// b"]), ["// a", "// b"])

    def test_a_comment_behind_code_goes_above_it(self):
        code = "    int " + "x" * 80 + ";"
        self.assertEqual(reflow.reflow([code + "  // what it stands for"], header=True),
                         ["    /// What it stands for.", code])


class Shape(unittest.TestCase):
    def names(self, text):
        return [name for name, _, _ in cxx.functions(text.split("\n"))]

    def test_functions_are_found(self):
        self.assertEqual(self.names("struct A {\n int x{f(1)};\n void g() { h({}); }\n};"), ["g"])
        self.assertEqual(self.names("enum class E { a };\nauto x = f(T{1});\nint y() { g(); }"),
                         ["y"])
        self.assertEqual(self.names('const char* s = "void f() {";\nvoid g() {}'), ["g"])
        self.assertEqual(self.names("A::A() : a_{f(1)}, b_(2) { g(); }\nint h() {}"),
                         ["A::A", "h"])

    def test_literals_do_not_confuse(self):
        self.assertEqual(self.names("char c = '{';\nint n = 1'000'000;\nvoid g() { R\"(})\"; }"),
                         ["g"])


if __name__ == "__main__":
    unittest.main()
