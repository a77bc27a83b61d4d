#!/bin/sh
# The tester: how much test there is, which sources no test names, and tests that are skipped or wait by the clock.
# shellcheck disable=SC2016
set -eu
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
start

run_awk '
function plain(s) { s = tolower(s); gsub(/[^a-z0-9]/, "", s); return s }
function words(s,   list, n, i) {
  n = split(s, list, /[^A-Za-z0-9_]+/)
  for (i = 1; i <= n; i++) if (length(list[i]) > 1) named[plain(list[i])]
  if (s !~ /[A-Za-z0-9][.-]/) return
  n = split(s, list, /[^A-Za-z0-9_.-]+/)
  for (i = 1; i <= n; i++) {
    sub(/\.+$/, "", list[i])
    named[plain(list[i])]
    if (sub(/\.[A-Za-z]+$/, "", list[i])) named[plain(list[i])]
  }
}
function skip_of(s, lang) {
  if (lang == "py") return s ~ /^[ \t]*@(pytest\.mark\.|unittest\.)(skip|xfail)([^A-Za-z_]|$)/
  if (lang == "js") return s ~ /(^|[^A-Za-z0-9_.])((it|test|describe)\.skip|xit|xdescribe)[ \t]*\(/
  if (lang == "c") return s ~ /(^|[^A-Za-z0-9_])GTEST_SKIP\(|^TEST(_F|_P)?\([^)]*DISABLED_/
  if (lang == "java" || lang == "kt") return s ~ /^[ \t]*@(Disabled|Ignore)([^A-Za-z]|$)/
  if (lang == "rs") return s ~ /^[ \t]*#\[ignore/
  return 0
}
function sleep_of(s, lang) {
  if (lang == "c") return s ~ /(^|[^A-Za-z0-9_])(sleep_(for|until)|u?sleep|nanosleep)[ \t]*\([^)]/
  if (lang == "py") return s ~ /(^|[^A-Za-z0-9_])time\.sleep\(|^[ \t]*sleep\([0-9.]/
  if (lang == "sh") return s ~ /(^|[;&|][ \t]*|(do|then|else)[ \t]+)[ \t]*sleep[ \t]+["$0-9]/
  if (lang == "java" || lang == "kt") return s ~ /Thread\.sleep\(/
  if (lang == "go") return s ~ /time\.Sleep\(/
  if (lang == "rb") return s ~ /^[ \t]*sleep[ \t(]+[0-9]/
  return 0
}
BEGIN {
  table = ARGV[1]
  while (next_file(table)) {
    if (!is_text || !is_code(lang) || is_foreign(name)) continue
    if (is_test(name)) {
      tests++
      test_lines += lines
      test_name[tests] = name
      test_lang[tests] = lang
    } else {
      sources++
      source_lines += lines
      source_name[sources] = name
      length_of[name] = lines
    }
  }
  for (t = 1; t <= tests; t++) {
    name = test_name[t]
    lang = test_lang[t]
    s = stem(name)
    words(s)
    gsub(/^(test|tests)[_.-]|[_.-]?([Tt]est|[Tt]ests|[Ss]pec)$/, "", s)
    words(s)
    path = "./" name
    number = 0
    strip_reset()
    while ((getline line < path) > 0) {
      number++
      words(line)
      # Most lines have nothing to do with either.
      if (line !~ /[Ss]leep|[Ss][Kk][Ii][Pp]|xfail|xit|xdescribe|DISABLED_|Disabled|[Ii]gnore|\.only|"""|\047\047\047|\/\*|\*\/|R"|\)[A-Za-z_]*"/) continue
      code = strip(line, lang)
      if (skip_of(code, lang)) { skipped++; finding("skip", "info", name, number, "this test is skipped or expected to fail") }
      if (lang == "js" && code ~ /(^|[^A-Za-z0-9_.])(it|test|describe)\.only[ \t]*\(/) {
        only++
        finding("only", "error", name, number, "\".only\" keeps all other tests of the file from running")
      }
      if (sleep_of(code, lang)) { sleeps++; finding("sleep", "info", name, number,
          "this test waits by the clock: slow, and unsteady on a busy machine") }
    }
    close(path)
  }
  # A header and its source are one unit.
  for (f = 1; f <= sources; f++) {
    name = source_name[f]
    s = tolower(stem(name))
    if (s ~ /^(main|index|__init__|__main__|setup|conf|config|version|mod|lib|build|types|constants|doc)$/) continue
    unit = folder(name) "/" s
    if (!(unit in unit_file)) units++
    if (!(unit in unit_file) || length_of[name] > length_of[unit_file[unit]]) unit_file[unit] = name
    unit_lines[unit] += length_of[name]
    unit_word[unit] = plain(s)
  }
  for (unit in unit_file)
    if (unit_word[unit] == "" || !(unit_word[unit] in named)) {
      unnamed++
      if (unit_lines[unit] >= 10) missing[unit_file[unit]] = unit_lines[unit]
    }
  if (sources && !tests)
    finding("none", "error", "", 0, "there is no test file among " count(sources, "source file", "source files"))
  else {
    n = largest(missing, 10, order)
    for (i = 1; i <= n; i++)
      finding("unnamed", missing[order[i]] >= 200 ? "warning" : "info", order[i], 0,
        "no test names " stem(order[i]) " (" missing[order[i]] " lines)")
  }
  percent = source_lines ? int(100 * test_lines / source_lines + 0.5) : 0
  if (tests && sources && percent < 20)
    finding("ratio", "warning", "", 0, "there are " test_lines " lines of test for " source_lines " lines of source (" percent "%)")
  if (!sources && !tests) summary("0 source files and 0 test files in a language known here.")
  else summary(count(tests + 0, "test file", "test files") " (" test_lines + 0 " lines) for " count(sources + 0, "source file", "source files") \
    " (" source_lines + 0 " lines); no test names " unnamed + 0 " of " count(units + 0, "unit", "units") "; " \
    count(skipped + 0, "skipped test", "skipped tests") " and " count(sleeps + 0, "wait", "waits") " by the clock.")
  figure("test_files", tests + 0)
  figure("test_lines", test_lines + 0)
  figure("source_files", sources + 0)
  figure("source_lines", source_lines + 0)
  figure("test_lines_per_100_source_lines", percent)
  figure("units", units + 0)
  figure("units_no_test_names", unnamed + 0)
  figure("skipped_tests", skipped + 0)
  figure("exclusive_tests", only + 0)
  figure("waits_by_the_clock", sleeps + 0)
  figure_json("largest_unnamed", ranked(missing, 10, "file", "lines"))
}' "$work/tree"
report
