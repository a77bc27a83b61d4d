#!/bin/sh
# The code-quality reviewer: left-over marks, conflict marks, copies, deep nesting, overlong lines, stray blanks.
# shellcheck disable=SC2016
set -eu
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
start

run_awk '
function characters(s) { return length(s) - gsub(/[\200-\277]/, "", s) }
function nested(depth) {
  if (depth > deepest) { deepest = depth; deepest_line = number }
}
# How deep the control flow is. Braces of anything else do not count.
function braces(code,   i, n, parts, rest, mark, at) {
  rest = code
  while (match(rest, /[{};]/)) {
    statement = statement " " substr(rest, 1, RSTART - 1)
    mark = substr(rest, RSTART, 1)
    rest = substr(rest, RSTART + 1)
    if (mark == "{") {
      at = ++level
      control[at] = statement ~ /(^|[^A-Za-z0-9_])(if|for|while|switch|do|else|try|catch|match|loop|foreach)([^A-Za-z0-9_]|$)/
      # The body of a function inside begins anew.
      if (statement ~ /\][ \t]*(\(|$|mutable)|=>[ \t]*$|(^|[^A-Za-z0-9_])(func|function|fn)([^A-Za-z0-9_]|$)/) control[at] = -1
      if (control[at] == 1) { flow[at] = flow[at - 1] + 1; nested(flow[at]) }
      else flow[at] = control[at] < 0 ? 0 : flow[at - 1]
    } else if (mark == "}" && level) level--
    else if (mark == ";" && statement ~ /\(/ && split(statement, parts, "(") > split(statement, parts, ")")) { statement = statement ";"; continue }
    statement = ""
  }
  statement = statement " " rest
  if (length(statement) > 2000) statement = ""
}
function indents(code,   indent) {
  if (code ~ /^[ \t]*$/) return
  match(code, /^[ \t]*/)
  indent = RLENGTH
  if (parens <= 0) {
    while (level && column_of[level] >= indent) level--
    if (code ~ /^[ \t]*(async[ \t]+)?(if|for|while|with|try|except|else|elif|finally)([^A-Za-z0-9_]|$)/) {
      column_of[++level] = indent
      flow[level] = flow[level - 1] + 1
      nested(flow[level])
    } else if (code ~ /^[ \t]*(async[ \t]+)?(def|class)[ \t]/) { column_of[++level] = indent; flow[level] = 0 }
  }
  parens += gsub(/[([{]/, "", code) - gsub(/[])}]/, "", code)
}
# Lines that repeat without being a copy: imports, comments, short ones, ends of blocks.
function copies(code,   i, key) {
  gsub(/^[ \t]+|[ \t\r]+$/, "", code)
  if (length(code) < 12 || code ~ /^(#|import |from |using |use |include|require|package |namespace |return|\/\/|\*|--)/) return
  if (!(code in line_id)) line_id[code] = ++line_ids
  for (i = 1; i < 8; i++) { window[i] = window[i + 1]; window_line[i] = window_line[i + 1] }
  window[8] = line_id[code]
  window_line[8] = number
  if (++window_size < 8) return
  key = window[1]
  different = 1
  for (i = 2; i <= 8; i++) { key = key " " window[i]; if (window[i] != window[i - 1]) different++ }
  if (different < 6) return
  if (!(key in seen_file)) { seen_file[key] = file_number; seen_line[key] = window_line[1]; return }
  if (seen_file[key] == file_number && window_line[1] - seen_line[key] < 8) return
  # One finding for one place, however long the copy is.
  if (window_line[1] > copy_end || copy_of != seen_file[key]) {
    copy_blocks++
    copy_file[copy_blocks] = name
    copy_at[copy_blocks] = window_line[1]
    copy_from[copy_blocks] = names[seen_file[key]]
    copy_from_at[copy_blocks] = seen_line[key]
    copy_of = seen_file[key]
  }
  copy_end = window_line[8]
  copy_to[copy_blocks] = number
  copy_size[copy_blocks] = number - copy_at[copy_blocks] + 1
}
BEGIN {
  # Spelled apart, so that this file does not find itself.
  marks = "(TO" "DO|FIX" "ME|XX" "X|HA" "CK)"
  mark_pattern = "(//|#|/[*]|^[ \t]*[*]|<!--|^[ \t]*--)([^A-Za-z0-9_].*)?[^A-Za-z0-9_]" marks "([^A-Za-z0-9_]|$)|(//|#|/[*])" marks "([^A-Za-z0-9_]|$)"
  table = ARGV[1]
  while (next_file(table)) {
    if (!is_text || lang == "" || is_foreign(name)) continue
    files++
    file_number++
    names[file_number] = name
    path = "./" name
    number = 0
    strip_reset()
    level = parens = deepest = window_size = long_here = blanks_here = carriage = conflict = copy_end = 0
    statement = ""
    flow[0] = 0
    code_here = is_code(lang)
    testing = is_test(name)
    while ((getline line < path) > 0) {
      number++
      if (line ~ /\r$/) { carriage++; sub(/\r$/, "", line) }
      if (line ~ /^<<<<<<< ./) conflict = number
      else if (conflict && line ~ /^>>>>>>> ./) {
        conflicts++
        finding("conflict", "error", name, conflict, "a merge conflict is still in the file")
        conflict = 0
      }
      if (lang == "md") continue
      if (line ~ /[ \t]$/) { blanks++; if (!blanks_here++) blank_line = number }
      if (length(line) > 160 && line !~ /https?:\/\// && characters(line) > 160) { if (!long_here++) long_line = number }
      if (match(line, marks) && line ~ mark_pattern) {
        all_marks++
        finding("mark", "info", name, number, "left over: " excerpt(line))
      }
      if (!code_here) continue
      code = strip(line, lang)
      if (!testing && ((lang == "js" && code ~ /(^|[^A-Za-z0-9_.])debugger;/) || (lang == "rb" && code ~ /binding\.pry/) ||
          (lang == "py" && code ~ /(^|[^A-Za-z0-9_.])(i?pdb\.set_trace\(|breakpoint\(\))/))) {
        debugs++
        finding("debug", "warning", name, number, "stops for a debugger")
      }
      if (has_slashes(lang)) braces(code)
      else if (lang == "py") indents(code)
      all_lines++
      if (all_lines <= 150000 && !testing && code != "") copies(line)
    }
    close(path)
    if (long_here) { long_lines += long_here; long_of[name] = long_here; long_at[name] = long_line }
    if (blanks_here) { blanks_of[name] = blanks_here; blanks_at[name] = blank_line }
    if (carriage && carriage < number) {
      mixed++
      finding("mixed", "warning", name, 0, carriage " of " number " lines end in CR LF, the others in LF")
    }
    if (deepest >= 5) { deep++; deep_of[name] = deepest; deep_at[name] = deepest_line }
  }
  n = largest(copy_size, 10, order)
  for (i = 1; i <= n; i++) {
    c = order[i]
    finding("copy", copy_size[c] >= 30 ? "warning" : "info", copy_file[c], copy_at[c],
      "lines " copy_at[c] " to " copy_to[c] " stand in " copy_from[c] ":" copy_from_at[c] " as well")
  }
  n = largest(deep_of, 10, order)
  for (i = 1; i <= n; i++)
    finding("deep", deep_of[order[i]] >= 7 ? "warning" : "info", order[i], deep_at[order[i]], "the control flow is " deep_of[order[i]] " levels deep here")
  n = largest(long_of, 5, order)
  for (i = 1; i <= n; i++)
    finding("long", "info", order[i], long_at[order[i]], count(long_of[order[i]], "line is", "lines are") " longer than 160 characters, this one first")
  n = largest(blanks_of, 3, order)
  for (i = 1; i <= n; i++)
    finding("blank", "info", order[i], blanks_at[order[i]], count(blanks_of[order[i]], "line ends", "lines end") " in blanks, this one first")
  for (name in blanks_of) blank_files++
  summary(count(all_lines + 0, "line", "lines") " of code in " count(files + 0, "file", "files") ": " \
    count(all_marks + 0, "left-over mark", "left-over marks") ", " \
    count(copy_blocks + 0, "copied block", "copied blocks") ", " count(deep + 0, "file", "files") " nested 5 levels or deeper, " \
    count(long_lines + 0, "overlong line", "overlong lines") ", " count(blanks + 0, "line", "lines") " with blanks at the end.")
  if (all_lines > 150000) finding("limit", "info", "", 0, "copies were looked for in the first 150000 lines of code only")
  figure("files", files + 0)
  figure("code_lines", all_lines + 0)
  figure("left_over_marks", all_marks + 0)
  figure("conflicts", conflicts + 0)
  figure("copied_blocks", copy_blocks + 0)
  figure("deeply_nested_files", deep + 0)
  figure("overlong_lines", long_lines + 0)
  figure("lines_with_blanks_at_the_end", blanks + 0)
  figure("files_with_blanks_at_the_end", blank_files + 0)
  figure("files_with_mixed_line_ends", mixed + 0)
  figure("debugger_stops", debugs + 0)
}
function excerpt(s) {
  match(s, mark_pattern)
  s = substr(s, RSTART)
  sub(/^[ \t\/#*<!-]+/, "", s)
  sub(/[ \t]*(\*\/|-->)?[ \t]*$/, "", s)
  if (length(s) <= 80) return s
  s = substr(s, 1, 77)
  # Not in the middle of a character.
  sub(/[\300-\377][\200-\277]*$/, "", s)
  return s "..."
}' "$work/tree"
report
