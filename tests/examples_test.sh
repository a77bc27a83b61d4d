#!/bin/sh
# The six reviewers of config/examples, each run as the protocol of a command agent says, on a tree with planted
# faults. It prints a line for each failure. Needs git and python3 (to check the JSON).
# EXAMPLES_SHELL names another shell to run them in, for example "busybox sh".
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")/.." && pwd)
agents=$here/config/examples/agents
work=${TMPDIR:-/tmp}/rolecall-examples-test.$$
mkdir "$work" || exit 2
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
passed=0
failed=0

# check NAME COMMAND...: the command has to succeed.
check() {
  name=$1
  shift
  if "$@" >"$work/check" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    sed -n 1,5p "$work/check"
  fi
}

# run SCRIPT STDIN: sets rc; $work/json and $work/stderr.
run() {
  script=$1
  rc=0
  printf '%s' "$2" | TMPDIR=$work/tmp ${EXAMPLES_SHELL-} "$agents/$script.sh" >"$work/json" 2>"$work/stderr" || rc=$?
}
task() {
  printf '{"task_id":"t","attempt":1,"role":"r","timeout_ms":1000,"agent_id":"a","input":{"path":"%s"}}\n' "$1"
}

# json EXPRESSION: true in Python, where d is the answer, F its findings, and has(...) looks for one.
cat >"$work/look.py" <<'END'
import json, sys
text = open(sys.argv[1], "rb").read().decode("utf-8")  # strict: no broken UTF-8
assert text.count("\n") == 1 and text.endswith("\n"), "one line"
d = json.loads(text)
F = d["findings"]
fig = d["figures"]
def has(words, file=None, line=None, severity=None):
    return any(words in f["message"] and (file is None or f.get("file") == file) and
               (line is None or f.get("line") == line) and (severity is None or f["severity"] == severity) for f in F)
def clean(file):
    return not any(f.get("file") == file for f in F)
def shape():
    return (set(d) == {"summary", "findings", "figures"} and isinstance(d["summary"], str) and d["summary"] and
            any(c.isdigit() for c in d["summary"]) and len(text) < 30000 and
            all(f["severity"] in ("info", "warning", "error") and f["message"] and
                set(f) <= {"severity", "file", "line", "message"} and
                isinstance(f.get("line", 1), int) for f in F))
ok = eval(sys.argv[2])
if not ok:
    print(text[:3000])
sys.exit(0 if ok else 1)
END
json() { python3 "$work/look.py" "$work/json" "$1"; }

# ---- The scripts themselves.
for script in "$agents"/*.sh "$0"; do
  for shell in sh dash; do
    if command -v $shell >/dev/null; then
      check "$shell -n ${script##*/}" $shell -n "$script"
    fi
  done
  if command -v shellcheck >/dev/null; then
    check "shellcheck ${script##*/}" shellcheck -x -P "$agents" "$script"
  fi
done

# ---- review.json and roles.json say the same roles, and every command is there.
cat >"$work/files.py" <<'END'
import json, os, sys
folder = sys.argv[1]
roles = json.load(open(folder + "/agents/roles.json"))["roles"]
tasks = json.load(open(folder + "/review.json"))["tasks"]
allowed = {"task_id", "role", "input", "skills", "priority", "timeout", "max_attempts", "context_id", "labels"}
skills = {r["role"]: r["skills"] for r in roles}
assert len(tasks) == 6 == len(roles) == len(skills) == len({t["task_id"] for t in tasks}) == len({t["role"] for t in tasks})
for t in tasks:
    assert set(t) <= allowed, t
    assert all(skills[t["role"]].get(s, 0) > 0 for s in t["skills"]), t
    assert 0 <= t.get("priority", 0) <= 9 and all(isinstance(v, str) for v in t["labels"].values())
for r in roles:
    assert os.access(folder + "/agents/" + r["command"][0], os.X_OK), r
assert len({r["command"][0] for r in roles}) == 6
END
check "review.json and roles.json fit" python3 "$work/files.py" "$here/config/examples"

# ---- A tree with planted faults. What must not be found in this file is spelled apart.
tree=$work/a\ tree
mkdir "$tree"
cd "$tree" || exit 2
git init -q .
git config core.autocrlf false
commit() {
  git add -A
  GIT_AUTHOR_DATE="$3 +0000" GIT_COMMITTER_DATE="$3 +0000" \
    git -c user.name="$1" -c user.email=x@example.org -c commit.gpgsign=false commit -q -m "$2"
}
mkdir -p alpha beta src/deep tests docs lonely 'od"d' .github/workflows
newline='new
line.cpp'
echo 'int x; // TO''DO with a newline' >"alpha/$newline"
echo 'int y; // FIX''ME quoted "text" and \ back' >'od"d/a "b" \c.cpp'
printf 'int z; // XX''X bytes \377\200 and \303\244\001\n' >"$(printf 'alpha/\303\244 \377.cpp')"
printf '#include "beta/b.hpp"\n#include "alpha/in_a_circle.hpp"\n' >alpha/a.hpp
printf '#include "alpha/a.hpp"\n' >alpha/in_a_circle.hpp
printf '#include "alpha/a.hpp"\n' >beta/b.hpp
echo 'one' >beta/Case.txt
echo 'two' >beta/case.txt
i=0
while [ $i -lt 1100 ]; do
  echo "int number_$i = $i;"
  i=$((i + 1))
done >src/long.cpp
cat >src/untested.cpp <<'END'
// Nobody calls this one by name.
#include <cstring>
void copy(char* to, const char* from) { strcpy(to, from); }
// strcpy(to, from) in a comment, and in a text:
const char* text = "strcpy(to, from); system(\"ls\");";
int one() { return system("ls"); }
struct actor { int& system(); int call(actor* a) { return a->system() + system(); } };
/* gets(line);
   gets(line); */
char* two(char* line) { return gets(line); }
int three(int a) { return a; }
END
cat >src/tested.cpp <<'END'
// This one has a test.
int tested(int a) {
  return a;
}
END
printf '#include <thread>\n// sleep%s(a) in a comment\nvoid test() { std::this_thread::sleep%s(a_while); }\n' \
  _for _for >tests/tested_test.cpp
printf 'it.%s("a", () => {});\nit("b", () => {});\n' only >tests/web.spec.js
printf '@pytest.mark.skip\ndef test_a():\n    pass\n' >tests/test_it.py
{
  echo 'void nested(int a) {'
  echo '  for (;;) {'
  echo '    if (a) {'
  echo '      while (a) {'
  echo '        switch (a) {'
  echo '          case 1: if (a) { a = 2; }'
  echo '        }}}}}'
} >src/deep/nested.cpp
{
  echo 'namespace a { namespace b { namespace c { namespace d { namespace e { namespace f {'
  echo 'int flat() { return 1; }'
  echo '}}}}}}'
} >src/deep/flat.cpp
for part in one two; do
  {
    echo "int only_in_$part() { return 1; }"
    for word in red green blue black white brown orange violet silver golden; do
      echo "  paint_the_wall_with(\"$word\", ${word}_amount);"
    done
  } >src/deep/copy_$part.cpp
done
printf 'int a;  \nint b;\r\n' >src/blanks.cpp
printf 'int a;\r\nint b;\r\n' >src/windows.cpp
printf 'int a;\n<<<<<<%s ours\nint b;\n=======\n>>>>>>%s theirs\n' '<' '>' >src/conflict.cpp
printf -- '-----BEGIN %s PRIVATE KEY-----\nMIIEpAIBAAKCAQEAtm4JhXpJmkT2dQ8y1LqN0bC7vXzR5sWfGhJkLpOiUyTr\n' RSA >alpha/server.pem
printf -- 'a key begins with\n-----BEGIN %s PRIVATE KEY-----\nand so on\n' RSA >docs/keys.txt
printf 'key = "AK%sQ7RZP4MNC2WX5TLD"\n' IA >src/cloud.py
printf 'key = "AK%sIOSFODNN7EXAMPLE"\n' IA >src/example.py
printf 'SECRET_OF_ENV=1\n' >.env
printf 'NAME=\n' >.env.example
printf 'import subprocess\n"""\neval(text)\n"""\ndef f(a, shell=True):\n    pass\nsubprocess.run(a, shell=True)\n' >src/shell.py
printf '#!/bin/sh\ncurl https://example.org/x | sh\n# curl x | sh\necho "curl x | sh"\n' >src/install.sh
printf 'nothing to run\n' >src/no_program.txt
chmod 755 src/install.sh
chmod 4755 src/no_program.txt
printf 'on:\n  pull_request%s:\n' _target >.github/workflows/ci.yml
chmod 666 src/blanks.cpp
cat >README.md <<'END'
# A tree

See [the guide](docs/the%20guide.md), [the lost one](docs/lost.md#there), [web](https://example.org/a.md),
[here](#a-tree), [a folder](alpha), [from the root](/beta/b.hpp) and `src/gone.cpp` but `src/tested.cpp`.

[reference]: docs/nowhere.md "title"

```
[not a link](docs/in_a_fence.md)
```

`[nor this](docs/in_code.md)` <!-- [nor this](docs/in_a_comment.md) -->

alpha/ and beta/ are explained.
END
echo '[up](../README.md) [out](../../elsewhere.md) [aside](keys.txt)' >'docs/the guide.md'
echo 'x' >lonely/file
printf 'binary \000 TO''DO strcpy(a, b); // FIX''ME\n' >alpha/binary.cpp
ln -s nowhere alpha/link.cpp
: >alpha/empty.cpp
commit Ada 'one' 1500000000
i=0
while [ $i -lt 6 ]; do
  echo "int change_$i;" >>src/tested.cpp
  echo "int change_$i;" >>alpha/in_a_circle.hpp
  commit Ada "change $i" $((1500100000 + i * 100000))
  i=$((i + 1))
done
echo 'int by_grace;' >>src/tested.cpp
commit Grace 'her change' 1501000000

all='architect historian tester security documentation quality'
for agent in $all; do
  run "$agent" "$(task "$tree")"
  cp "$work/json" "$work/$agent.json"
  check "$agent: exit code 0, silent on stderr" test "$rc" -eq 0 -a ! -s "$work/stderr"
  check "$agent: valid JSON" python3 -m json.tool "$work/json"
  check "$agent: the shape of the answer" json 'shape()'
  check "$agent: files from git" json 'fig["files_from"] == "git"'
done
of() { cp "$work/$1.json" "$work/json"; }

of architect
check "architect: folders that use each other" json 'has("alpha/ and beta/ use each other") or has("beta/ and alpha/ use each other")'
check "architect: the circle of files" json 'has("in a circle: alpha/a.hpp -> alpha/in_a_circle.hpp -> alpha/a.hpp") or has("in a circle: alpha/in_a_circle.hpp -> alpha/a.hpp -> alpha/in_a_circle.hpp")'
check "architect: the long file" json 'has("has 1100 lines", "src/long.cpp", severity="warning")'
check "architect: names that differ in case" json 'has("upper and lower case", "beta/case.txt")'
check "architect: awkward names survive" json 'has("Windows", "alpha/new\nline.cpp") and has("Windows", "od\"d/a \"b\" \\c.cpp")'
check "architect: nothing about a plain file" json 'clean("src/tested.cpp") and clean("alpha/link.cpp")'
check "architect: figures" json 'fig["files_above_1000_lines"] == 1 and fig["folder_circles"] == 1 and fig["files_above_1_mb"] == 0'

check "architect: the largest folder" json 'has("src/ is the largest folder")'

of historian
check "historian: the hot spot" json 'has("changed in 8 of 8 commits, by 2 authors", "src/tested.cpp")'
check "historian: one author alone" json 'has("all 7 changes are by Ada", "alpha/in_a_circle.hpp", severity="warning")'
check "historian: not alone" json 'not has("all ", "src/tested.cpp")'
check "historian: together across folders" json 'has("came with a change of src/tested.cpp", "alpha/in_a_circle.hpp")'
check "historian: old" json 'has("the last commit is", severity="warning") and fig["days_since_last_commit"] > 2000'
check "historian: figures" json 'fig["commits"] == 8 and fig["authors"] == 2 and fig["bus_factor"] == 1'

of tester
check "tester: the untested file" json 'has("no test names untested", "src/untested.cpp")'
check "tester: the tested file" json 'clean("src/tested.cpp")'
check "tester: the exclusive test" json 'has("only", "tests/web.spec.js", 1, "error")'
check "tester: the skipped test" json 'has("skipped", "tests/test_it.py", 1)'
check "tester: the sleeping test, not the comment" json 'has("clock", "tests/tested_test.cpp", 3) and fig["waits_by_the_clock"] == 1'
check "tester: figures" json 'fig["test_files"] == 3 and fig["skipped_tests"] == 1'

of security
check "security: the private key" json 'has("private key", "alpha/server.pem", 1, "error")'
check "security: a text about keys is none" json 'clean("docs/keys.txt")'
check "security: the access key" json 'has("AWS", "src/cloud.py", 1, "error") and clean("src/example.py")'
check "security: no secret in the answer" json '"Q7RZP4" not in text and "MIIEpA" not in text'
check "security: .env, and not .env.example" json 'has("for one machine", ".env") and clean(".env.example")'
check "security: strcpy" json 'has("strcpy()", "src/untested.cpp", 3)'
check "security: system, but no method of that name" json 'has("starts a shell", "src/untested.cpp", 6) and not has("shell", "src/untested.cpp", 7)'
check "security: gets, but not in a comment" json 'has("gets()", "src/untested.cpp", 10, "error") and len([f for f in F if f.get("file") == "src/untested.cpp"]) == 3'
check "security: shell=True once" json 'has("shell=True", "src/shell.py", 7) and len([f for f in F if f.get("file") == "src/shell.py"]) == 1'
check "security: curl into sh once" json 'has("whatever the other side", "src/install.sh", 2) and len([f for f in F if f.get("file") == "src/install.sh"]) == 1'
check "security: executable without an interpreter" json 'has("#!", "src/no_program.txt") and has("set-id", "src/no_program.txt")'
check "security: a workflow for strangers" json 'has("strangers", ".github/workflows/ci.yml", 2)'
check "security: writable for all" json 'has("1 file is writable", "src/blanks.cpp")'
check "security: no binary, no clean file" json 'clean("alpha/binary.cpp") and clean("src/tested.cpp")'

of documentation
check "documentation: the lost link" json 'has("docs/lost.md", "README.md", 3, "warning")'
check "documentation: the lost reference" json 'has("docs/nowhere.md", "README.md", 6)'
check "documentation: two broken links and no more" json 'fig["broken_links"] == 2'
check "documentation: the file that is gone" json 'has("src/gone.cpp", "README.md", 4) and fig["names_of_missing_files"] == 1'
check "documentation: the unexplained folder" json 'has("no document names", "lonely") and clean("alpha") and clean("beta")'
check "documentation: no licence" json 'has("LICENSE")'
check "documentation: there is a README" json 'not has("no README:")'

of quality
check "quality: the mark in a name with a newline" json 'has("with a newline", "alpha/new\nline.cpp", 1)'
check "quality: quotes and backslashes" json 'has("quoted \"text\" and \\ back", "od\"d/a \"b\" \\c.cpp")'
check "quality: bytes that are no UTF-8" json 'has("bytes \ufffd\ufffd and \u00e4\u0001", "alpha/\u00e4 \ufffd.cpp")'
check "quality: three marks and no more" json 'fig["left_over_marks"] == 3'
check "quality: the nesting, and not of namespaces" json 'has("5 levels", "src/deep/nested.cpp", 6) and clean("src/deep/flat.cpp")'
check "quality: the copy" json 'has("lines 2 to 11 stand in src/deep/copy_one.cpp:2", "src/deep/copy_two.cpp", 2) and fig["copied_blocks"] == 1'
check "quality: blanks and mixed line ends" json 'has("blanks", "src/blanks.cpp", 1) and has("CR LF", "src/blanks.cpp") and clean("src/windows.cpp")'
check "quality: the conflict" json 'has("conflict", "src/conflict.cpp", 2, "error") and fig["conflicts"] == 1'
check "quality: no binary, no clean file" json 'clean("alpha/binary.cpp") and clean("src/tested.cpp")'

# ---- One line of each fault: the reviewer, the file, a word of the message, the line ("~" is left out of it).
mkdir "$work/lines" && cd "$work/lines" || exit 2
cat >"$work/table" <<'END'
security	a.py	GitHub	t = "ghp~_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"
security	b.py	GitHub	t = "github~_pat_11ABCDEFG0aB3dE6gH9jK2_mN5pQ8sT1vW4yZ7bC0eF3hJ6"
security	c.py	GitLab	t = "glp~at-aB3dE6gH9jK2mN5pQ8sT"
security	d.py	Slack	t = "xox~b-204857361-aB3dE6gH9jK2"
security	e.py	Google	t = "AI~zaSyB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3h"
security	f.py	Stripe	t = "sk~_live_aB3dE6gH9jK2mN5pQ8sT1v"
security	.npmrc	registry	//registry.example.org/:_auth~Token=aB3dE6gH9jK2
security	g.go	written into the source	pass~word := "hV9qLm2Rt7"
security	h.c	temporary name	char* f() { return tmp~nam(buffer); }
security	i.cpp	not verified	curl_easy_setopt(h, CURLOPT_SSL~_VERIFYPEER, 0);
security	j.py	text as code	value = ev~al(line)
security	k.py	starts a shell	os.sys~tem(line)
security	l.py	unpickling	value = pic~kle.loads(line)
security	m.py	safe_load	value = ya~ml.load(line)
security	n.py	not verified	requests.get(url, ver~ify=False)
security	o.js	text as code	const value = ev~al(line);
security	p.js	not verified	const options = {reject~Unauthorized: false};
security	q.go	not verified	c := tls.Config{Insecure~SkipVerify: true}
security	r.php	a variable says	$value = unserial~ize($line);
security	s.sh	not verified	curl --inse~cure https://example.org/
security	t.sh	every user	chmod 7~77 file
security	aa.py	temporary name	name = tempfile.mk~temp()
security	bb.js	as HTML	document.wr~ite(line);
security	cc.sh	not verified	export NODE_TLS_REJECT_~UNAUTHORIZED=0
security	u.sh	the other host	ssh -o StrictHost~KeyChecking=no host
security	v.sh	1 eval	ev~al "$line"
quality	w.js	debugger	debug~ger;
quality	x.py	debugger	break~point()
END
while IFS='	' read -r agent file words line; do
  printf '%s\n' "$line" | tr -d '~' >"$file"
done <"$work/table"
awk 'BEGIN { for (i = 0; i < 30; i++) s = s "a + b"; print "int y = " s ";\nint x = " s s ";" }' >long.cpp
GIT_CEILING_DIRECTORIES=$work
export GIT_CEILING_DIRECTORIES
for agent in security quality; do
  # Ten of a kind are shown; so each file by itself.
  while IFS='	' read -r of file words line; do
    [ "$of" = "$agent" ] || continue
    mkdir -p "$work/one" && cp "$file" "$work/one/$file"
    run "$agent" "$(task "$work/one")"
    check "$agent: $file: $words" json "has('$words', '$file', 1)"
    rm "$work/one/$file"
  done <"$work/table"
done
run quality "$(task "$work/lines")"
check "quality: the overlong line" json 'has("1 line is longer", "long.cpp", 2)'
run tester "$(task "$work/lines")"
check "tester: no test at all" json 'has("there is no test file", severity="error")'
run documentation "$(task "$work/lines")"
check "documentation: no README" json 'has("there is no README")'
cd "$tree" || exit 2

# ---- How the path comes in.
for agent in $all; do
  run "$agent" '{"input":{}}'
  check "$agent: the folder of the process by default" cmp "$work/json" "$work/$agent.json"
done
run architect ' { "dependencies" : {"path":"/nowhere","input":{"path":"/nowhere"}}, "input":{ "deep":{"path":["/nowhere"]} ,"p\u0061th":"\u002e\/s\u0072c" } , "path":"/nowhere"} '
check "escapes, blanks and other paths" json 'fig["files"] == 15'
run architect '{"input":"some text"}'
check "an input that is no object" json 'fig["files"] > 20'
mkdir "$work/"'q"\ü' && cp README.md "$work/"'q"\ü'
run documentation "{\"input\":{\"path\":\"$work/q\\\"\\\\\\u00fc\"}}"
check "an awkward path" test "$rc" -eq 0
for agent in $all; do
  run "$agent" "$(task "$work/no such folder")"
  check "$agent: no such folder" test "$rc" -eq 1 -a ! -s "$work/json" -a "$(wc -l <"$work/stderr")" -eq 1
  check "$agent: says which" grep -q "there is no folder '$work/no such folder'" "$work/stderr"
done
run quality "$(task "$tree/README.md")"
check "a file is no folder" grep -q 'is not a folder' "$work/stderr"
run quality '{"input":{"path":7}}'
check "a path that is a number" test "$rc" -eq 1
check "a path that is a number: the message" grep -q 'must be a text' "$work/stderr"
for text in '' '{' '{"input":{"path":"a}}' '[]' '{"input":{}} x' '{"input":{"path":"\q"}}' 'path'; do
  run quality "$text"
  check "no valid task: $text" grep -q 'not valid JSON' "$work/stderr"
  check "no valid task: exit code of $text" test "$rc" -eq 1
done

# ---- Trees that are no repository, or an empty one; a folder of a repository.
bare=$work/plain
mkdir "$bare"
cp -R alpha beta src tests docs lonely README.md 'od"d' "$bare"
for agent in $all; do
  run "$agent" "$(task "$bare")"
  check "$agent: without git, exit code 0" test "$rc" -eq 0
  check "$agent: without git" json 'shape() and fig["files_from"] == "find" and "not a git repository" in d["summary"]'
done
run quality "$(task "$bare")"
check "without git: awkward names" json 'has("newline", "alpha/new\nline.cpp") and has("quoted", "od\"d/a \"b\" \\c.cpp") and fig["left_over_marks"] == 3'
run security "$(task "$bare")"
check "without git: modes and secrets" json 'has("private key", "alpha/server.pem") and has("#!", "src/no_program.txt")'
mkdir "$work/empty" && git init -q "$work/empty"
for agent in $all; do
  run "$agent" "$(task "$work/empty")"
  check "$agent: an empty repository" json 'shape()'
  run "$agent" "$(task "$tree/src")"
  check "$agent: a folder of a repository" json 'shape() and fig["files_from"] == "git" and not any(f.get("file", "").startswith("src/") for f in F)'
done
run historian "$(task "$tree/src")"
check "historian: names below the folder" json 'has("changed in 8 of 8 commits", "tested.cpp")'
check "nothing is left behind" rmdir "$work/tmp"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
