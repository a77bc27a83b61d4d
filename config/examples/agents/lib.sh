# shellcheck shell=sh disable=SC2016,SC2034
# lib.sh: what the six reviewers share. It needs a POSIX shell, the POSIX utilities and git.
#
#   . "${0%/*}/lib.sh"   then   start   (reads the task, goes to its folder, lists its files)
#   run_awk 'PROGRAM'    awk with the functions below; what it prints is collected in $work/out
#   report               prints the JSON answer
#
# All text is handled as bytes, so that a file name in any encoding survives; what leaves as JSON is UTF-8.
LC_ALL=C
export LC_ALL
unset CDPATH GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_OBJECT_DIRECTORY
GIT_OPTIONAL_LOCKS=0
export GIT_OPTIONAL_LOCKS

die() {
  printf '%s: %s\n' "${0##*/}" "$1" | tr '\n\r' '  ' >&2
  echo >&2
  exit 1
}

# git without the reader's own settings that would change what it prints.
g() {
  git --no-pager -c core.quotePath=false -c core.fsmonitor=false -c color.ui=false -c grep.fullName=false \
    -c log.showSignature=false -c submodule.recurse=false "$@"
}

# Prints input.path of the task on stdin, "." if there is none. 3: no valid JSON; 4: the path is no text.
task_path() {
  awk '
    function bad() { status = 3; exit 3 }
    function blank() { while (index(" \t\r\n", substr(text, pos, 1)) && pos <= size) pos++ }
    function hex(at,   i, n, digit) {
      n = 0
      for (i = 0; i < 4; i++) {
        digit = index("0123456789abcdef", tolower(substr(text, at + i, 1)))
        if (!digit || at + i > size) bad()
        n = n * 16 + digit - 1
      }
      return n
    }
    function utf8(code) {
      if (code == 0) code = 65533
      if (code < 128) return sprintf("%c", code)
      if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
      if (code < 65536)
        return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
      return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64,
                     128 + int(code / 64) % 64, 128 + code % 64)
    }
    function string(   result, chunk, c, code, low) {
      result = ""
      pos++
      while (pos <= size) {
        chunk = substr(text, pos, 512)
        if (!match(chunk, /["\\]/)) { result = result chunk; pos += length(chunk); continue }
        result = result substr(chunk, 1, RSTART - 1)
        pos += RSTART - 1
        if (substr(text, pos, 1) == "\"") { pos++; return result }
        c = substr(text, pos + 1, 1)
        pos += 2
        if (c == "u") {
          code = hex(pos)
          pos += 4
          if (code >= 55296 && code < 57344) {
            low = 0
            if (code < 56320 && substr(text, pos, 2) == "\\u") low = hex(pos + 2)
            if (low >= 56320 && low < 57344) { code = 65536 + (code - 55296) * 1024 + low - 56320; pos += 6 }
            else code = 65533
          }
          result = result utf8(code)
        } else if (c != "" && index("\"\\/", c)) result = result c
        else if (c != "" && index("bfnrt", c)) result = result substr("\b\f\n\r\t", index("bfnrt", c), 1)
        else bad()
      }
      bad()
    }
    # `where` is "task", "input" or "path" where that value stands, else empty.
    function value(where, depth,   c, key, next_where, text_value) {
      if (depth > 500) bad()
      blank()
      c = substr(text, pos, 1)
      if (where == "path") path_type = c
      if (c == "{") {
        pos++
        blank()
        if (substr(text, pos, 1) == "}") { pos++; return }
        while (1) {
          blank()
          if (substr(text, pos, 1) != "\"") bad()
          key = string()
          blank()
          if (substr(text, pos++, 1) != ":") bad()
          next_where = ""
          if (where == "task" && key == "input") next_where = "input"
          if (where == "input" && key == "path") next_where = "path"
          value(next_where, depth + 1)
          blank()
          c = substr(text, pos++, 1)
          if (c == "}") return
          if (c != ",") bad()
        }
      } else if (c == "[") {
        pos++
        blank()
        if (substr(text, pos, 1) == "]") { pos++; return }
        while (1) {
          value("", depth + 1)
          blank()
          c = substr(text, pos++, 1)
          if (c == "]") return
          if (c != ",") bad()
        }
      } else if (c == "\"") {
        text_value = string()
        if (where == "path") path = text_value
      } else if (match(substr(text, pos, 64), /^(true|false|null|-?[0-9][0-9.eE+-]*)/)) pos += RLENGTH
      else bad()
    }
    { text = text (NR > 1 ? "\n" : "") $0 }
    END {
      if (status) exit status
      size = length(text)
      pos = 1
      path = "."
      value("task", 0)
      blank()
      if (pos <= size || substr(text, 1, 1) !~ /[ \t\r\n{]/) exit 3
      if (path_type != "" && path_type != "\"" && path_type != "n") exit 4
      printf "%s", path
    }'
}

# The functions that every awk program below begins with.
awk_lib='
function init_bytes(   i) { for (i = 1; i < 256; i++) ord[sprintf("%c", i)] = i }
# A name as git writes it: in double quotes with escapes if it has awkward bytes.
function unquote(s,   result, c, i, n) {
  if (substr(s, 1, 1) != "\"") return s
  result = ""
  n = length(s) - 1
  for (i = 2; i <= n; i++) {
    c = substr(s, i, 1)
    if (c != "\\") { result = result c; continue }
    c = substr(s, ++i, 1)
    if (c ~ /[0-3]/) {
      result = result sprintf("%c", substr(s, i, 1) * 64 + substr(s, i + 1, 1) * 8 + substr(s, i + 2, 1))
      i += 2
    } else if (index("abfnrtv", c)) result = result substr("\a\b\f\n\r\t\v", index("abfnrtv", c), 1)
    else result = result c
  }
  return result
}
# The number of bytes of the UTF-8 character at i, 0 if there is none. It knows the forms that are too long,
# the surrogates, and the end of Unicode.
function utf8_length(s, i,   a, b, n, k) {
  a = ord[substr(s, i, 1)]
  b = ord[substr(s, i + 1, 1)]
  n = a < 194 ? 0 : a < 224 ? 2 : a < 240 ? 3 : a < 245 ? 4 : 0
  for (k = 1; k < n; k++) if (ord[substr(s, i + k, 1)] < 128 || ord[substr(s, i + k, 1)] > 191) return 0
  if ((a == 224 && b < 160) || (a == 237 && b > 159) || (a == 240 && b < 144) || (a == 244 && b > 143)) return 0
  return n
}
function json(s,   result, c, i, n, k) {
  if (s ~ /^[ !#-Z^-~\/]*$/) return "\"" s "\""
  if (!(1 in bytes_ready)) { bytes_ready[1]; init_bytes() }
  result = ""
  n = length(s)
  for (i = 1; i <= n; i++) {
    c = substr(s, i, 1)
    if (c == "\"" || c == "\\") result = result "\\" c
    else if (c == "\n") result = result "\\n"
    else if (c == "\t") result = result "\\t"
    else if (ord[c] < 32 || ord[c] == 127) result = result sprintf("\\u%04x", ord[c])
    else if (ord[c] < 128) result = result c
    else if (k = utf8_length(s, i)) { result = result substr(s, i, k); i += k - 1 }
    else result = result "\\ufffd"
  }
  return "\"" result "\""
}
# At most ten findings of a kind; the figures have the whole number.
function finding(kind, severity, file, line, message) {
  if (++found[kind] > 10) return
  printf "F\t%d\t{\"severity\":\"%s\"", severity == "error" ? 1 : severity == "warning" ? 2 : 3, severity
  if (file != "") printf ",\"file\":%s", json(file)
  if (line > 0) printf ",\"line\":%d", line
  printf ",\"message\":%s}\n", json(message)
}
function figure(name, number) { printf "G\t%s:%s\n", json(name), number }
function figure_json(name, text) { printf "G\t%s:%s\n", json(name), text }
function summary(text) { printf "S\t%s\n", text }
function count(n, one, many) { return n " " (n == 1 ? one : many) }
# The keys of the n largest values above 0, in order[1..]; equal ones by name.
function largest(values, n, order,   i, key, best, taken) {
  for (i = 1; i <= n; i++) {
    best = ""
    for (key in values)
      if (values[key] > 0 && !(key in taken) && (best == "" || values[key] > values[best] ||
          (values[key] == values[best] && key < best)))
        best = key
    if (best == "") break
    taken[best]
    order[i] = best
  }
  return i - 1
}
function ranked(values, n, key_name, value_name,   order, i, result) {
  n = largest(values, n, order)
  for (i = 1; i <= n; i++)
    result = result (i > 1 ? "," : "") "{\"" key_name "\":" json(order[i]) ",\"" value_name "\":" values[order[i]] "}"
  return "[" result "]"
}
function base(name) { sub(/^.*\//, "", name); return name }
function folder(name) { return name ~ /\// ? substr(name, 1, length(name) - length(base(name)) - 1) : "." }
function top_folder(name) { return index(name, "/") ? substr(name, 1, index(name, "/") - 1) : "." }
function extension(name) {
  name = base(name)
  return name ~ /^.+\./ ? tolower(substr(name, match(name, /\.[^.]*$/) + 1)) : ""
}
function stem(name) { name = base(name); sub(/\.[^.]*$/, "", name); return name }
function is_test(name) {
  return name ~ /(^|\/)(tests?|specs?|__tests__|testing|testdata|fixtures)\// ||
         base(name) ~ /^(test|tests)[_.-]|^test\.|[_.-](test|tests|spec)\.[A-Za-z]+$|[a-z](Test|Tests|Spec)\.[A-Za-z]+$|^conftest\.py$|\.bats$/
}
# Copied in or made by a tool: not for a reviewer.
function is_foreign(name) {
  return name ~ /(^|\/)(_?vendor|vendored|third_party|third-party|thirdparty|3rdparty|external|extern)\// ||
         name ~ /(^|\/)(site-packages|__pycache__|node_modules|bower_components|dist)\// ||
         name ~ /\.min\.(js|css)$|\.(lock|map|svg|pb\.go|pb\.h|pb\.cc)$|_pb2\.py$/ ||
         name ~ /(^|\/)(package-lock\.json|pnpm-lock\.yaml|go\.sum|configure|ltmain\.sh|config\.(guess|sub))$/
}
function language(name, first,   e) {
  e = extension(name)
  if (e ~ /^(c|cc|cpp|cxx|h|hh|hpp|hxx|ipp|inl|tpp|cu|m|mm)$/) return "c"
  if (e ~ /^(js|mjs|cjs|jsx|ts|tsx|mts|cts|vue)$/) return "js"
  if (e ~ /^(py|pyi|pyx)$/) return "py"
  if (e ~ /^(sh|bash|dash|ksh|zsh|bats)$/) return "sh"
  if (e ~ /^(java|go|rs|rb|php|cs|kt|swift|scala|lua|pl|pm)$/) return e
  if (e ~ /^(md|markdown)$/) return "md"
  if (e ~ /^(yml|yaml)$/) return "yaml"
  if (e == "cmake" || base(name) == "CMakeLists.txt") return "cmake"
  if (e == "mk" || base(name) ~ /^(GNU)?[Mm]akefile$/) return "make"
  if (base(name) ~ /^(Dockerfile|Containerfile)/ || e == "dockerfile") return "docker"
  if (first ~ /^#!.*[\/ ](ba|da|k|z|a)?sh([ ]|$)/) return "sh"
  if (first ~ /^#!.*python/) return "py"
  if (first ~ /^#!.*node/) return "js"
  if (first ~ /^#!.*perl/) return "pl"
  if (first ~ /^#!.*ruby/) return "rb"
  return ""
}
function is_code(lang) { return lang != "" && lang !~ /^(md|yaml|cmake|make|docker)$/ }
function has_slashes(lang) { return lang ~ /^(c|js|java|go|rs|php|cs|kt|swift|scala)$/ }
# Call it before each file.
function strip_reset() { block_comment = 0; raw_end = ""; triple = "" }
# The line without comments and without what is in literals. Feed it a whole file, line by line.
function strip(s, lang,   i, j, mark) {
  if (raw_end != "") {
    i = index(s, raw_end)
    if (!i) return ""
    s = substr(s, i + length(raw_end))
    raw_end = ""
  }
  if (triple != "") {
    i = index(s, triple)
    if (!i) return ""
    s = substr(s, i + 3)
    triple = ""
  }
  if (block_comment) {
    i = index(s, "*/")
    if (!i) return ""
    s = substr(s, i + 2)
    block_comment = 0
  }
  if (s !~ /["\047`#\/]/) return s
  if (lang == "c" && match(s, /R"[A-Za-z_]*\(/)) {
    mark = ")" substr(s, RSTART + 2, RLENGTH - 3) "\""
    i = RSTART
    j = index(substr(s, i + RLENGTH), mark)
    if (j) s = substr(s, 1, i - 1) "\"\"" substr(s, i + RLENGTH + j - 1 + length(mark))
    else { raw_end = mark; s = substr(s, 1, i - 1) }
  }
  while (lang == "py" && match(s, /"""|\047\047\047/)) {
    i = RSTART
    mark = substr(s, i, 3)
    j = index(substr(s, i + 3), mark)
    if (!j) { triple = mark; s = substr(s, 1, i - 1); break }
    s = substr(s, 1, i - 1) " " substr(s, i + 3 + j + 2)
  }
  if (s ~ /^[ \t]*(\/\/|#[^A-Za-z \t!]|# )/ && (has_slashes(lang) ? s ~ /^[ \t]*\/\// : 1)) return ""
  if (lang ~ /^(c|java|rs|cs|go|kt|swift|scala)$/) gsub(/\047(\\.|[^\047\\])\047/, "0", s)
  gsub(/"([^"\\]|\\.)*"/, "\"\"", s)
  if (lang !~ /^(c|java|rs|cs|go|kt|swift|scala)$/) gsub(/\047([^\047\\]|\\.)*\047/, "\047\047", s)
  if (lang ~ /^(js|go)$/) gsub(/`[^`]*`/, "``", s)
  if (has_slashes(lang)) {
    while (i = index(s, "/*")) {
      j = index(s, "//")
      if (j && j < i) break
      j = index(substr(s, i + 2), "*/")
      if (!j) { block_comment = 1; s = substr(s, 1, i - 1); break }
      s = substr(s, 1, i - 1) " " substr(s, i + 2 + j + 1)
    }
    if (i = index(s, "//")) s = substr(s, 1, i - 1)
  } else if (lang == "lua") sub(/--.*/, "", s)
  else if (match(s, /(^|[ \t;])#.*$/)) s = substr(s, 1, RSTART - 1)
  return s
}
# The next file of $work/tree: sets size, mode, is_text, lines, lang and name.
function next_file(table,   record, at) {
  if ((getline record < table) <= 0) { close(table); return 0 }
  split(record, column, "\t")
  size = column[1] + 0
  mode = column[2]
  is_text = column[3] == "text"
  lines = column[4] + 0
  lang = column[5]
  at = length(column[1] column[2] column[3] column[4] column[5]) + 6
  name = unquote(substr(record, at))
  return 1
}
'

run_awk() {
  program=$1
  shift
  awk "$awk_lib$program" "$@" >>"$work/out"
}

# Writes the raw list of files: size, mode and name (as git quotes it).
list_tracked() {
  g ls-files -s | awk '$1 ~ /^100/ && ($3 == 0 || !($2 in seen)) { seen[$2]; print }' >"$work/index"
  awk '{ print $2 }' "$work/index" | git cat-file --batch-check='%(objectsize)' >"$work/sizes"
  awk '{ getline size < sizes; print (size ~ / missing$/ ? 0 : size) "\t" $1 "\t" substr($0, index($0, "\t") + 1) }' \
    sizes="$work/sizes" "$work/index" >"$work/files"
}

find_files() {
  find . \( -name .git -o -name .hg -o -name .svn -o -name node_modules \) -prune -o -type f "$@" \
    -exec printf '%s\0' '{}' + | tr '\n\0' '\001\n' | awk '
      { sub(/^\.\//, "") }
      /["\\\001]/ { gsub(/["\\]/, "\\\\&"); gsub("\001", "\\n"); $0 = "\"" $0 "\"" }
      { print }'
}

list_found() {
  find_files -size +2048 >"$work/large"
  find_files -perm -0100 >"$work/executable"
  find_files >"$work/names"
  awk 'BEGIN {
      while ((getline name < ARGV[1]) > 0) large[name]
      while ((getline name < ARGV[2]) > 0) executable[name]
      while ((getline name < ARGV[3]) > 0)
        print ((name in large) ? 1048577 : 0) "\t" ((name in executable) ? 100755 : 100644) "\t" name
    }' "$work/large" "$work/executable" "$work/names" >"$work/files"
}

# `grep_files OPTION...`: git grep over the files that are reviewed.
grep_files() {
  if [ "$kind" = git ]; then
    g grep -I "$@" || [ $? -eq 1 ]
  else
    g grep --no-index -I "$@" -- . || [ $? -eq 1 ]
  fi
}

# Reads the task, goes to its folder, and writes $work/tree: size, mode, text or -, lines, language, name.
# A file above 1 MB counts, but nobody reads it.
start() {
  command -v git >/dev/null || die "git is not installed"
  status=0
  path=$(task_path && echo x) || status=$?
  case $status in
    0) ;;
    4) die "input.path must be a text" ;;
    *) die "the task on stdin is not valid JSON" ;;
  esac
  path=${path%?}
  [ -n "$path" ] || die "input.path is empty"
  case $path in
    /*) target=$path ;;
    *) target=./$path ;;
  esac
  [ -e "$target" ] || die "there is no folder '$path'"
  [ -d "$target" ] || die "'$path' is not a folder"

  umask 077
  number=0
  until work=${TMPDIR:-/tmp}/rolecall-review.$$.$number && mkdir "$work" 2>/dev/null; do
    number=$((number + 1))
    [ "$number" -lt 20 ] || die "cannot make a folder in ${TMPDIR:-/tmp}"
  done
  case $work in
    /*) ;;
    *) work=$PWD/$work ;;
  esac
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT PIPE TERM
  : >"$work/out"
  cd "$target" 2>/dev/null || die "cannot enter '$path'"

  kind=git
  note=
  if ! git rev-parse --is-inside-work-tree >"$work/inside" 2>"$work/error"; then
    kind=files
    if grep -q 'not a git repository' "$work/error"; then
      note="not a git repository: all files below it were looked at"
    else
      note="git cannot read it ($(sed -n 1p "$work/error")): all files below it were looked at"
    fi
  elif ! grep -q true "$work/inside"; then
    kind=files
    note="no work tree of git: all files below it were looked at"
  else
    list_tracked
    if [ ! -s "$work/files" ]; then
      kind=files
      note="git tracks nothing here: all files below it were looked at"
    fi
  fi
  if [ "$kind" = files ]; then
    list_found
  fi
  grep_files -l -e '' >"$work/text"
  awk "$awk_lib"'BEGIN {
      while ((getline name < ARGV[1]) > 0) text[name]
      while ((getline record < ARGV[2]) > 0) {
        split(record, column, "\t")
        quoted = substr(record, length(column[1] column[2]) + 3)
        lines = 0
        first = ""
        file = "./" unquote(quoted)
        readable = (quoted in text) && column[1] <= 1048576
        if (readable) {
          while ((getline line < file) > 0) if (++lines == 1) first = substr(line, 1, 200)
          close(file)
        }
        print column[1] "\t" column[2] "\t" (readable ? "text" : "-") "\t" lines "\t" \
              (readable ? language(unquote(quoted), first) : "") "\t" quoted
      }
    }' "$work/text" "$work/files" >"$work/tree"
}

report() {
  NOTE=$note KIND=$kind awk "$awk_lib"'
    BEGIN { FS = "\t" }
    $1 == "S" { text = text (text == "" ? "" : " ") substr($0, 3) }
    $1 == "G" { figures = figures "," substr($0, 3) }
    $1 == "F" { list[$2] = list[$2] (list[$2] == "" ? "" : ",") substr($0, 5); total[$2]++ }
    END {
      note = ENVIRON["NOTE"]
      if (note != "") {
        text = text " (" note ")"
        list[3] = "{\"severity\":\"info\",\"message\":" json(note) "}" (list[3] == "" ? "" : ",") list[3]
        total[3]++
      }
      for (i = 1; i <= 3; i++) if (list[i] != "") all = all (all == "" ? "" : ",") list[i]
      printf "{\"summary\":%s,\"findings\":[%s],\"figures\":{\"files_from\":\"%s\",\"errors\":%d,\"warnings\":%d%s}}\n",
        json(text), all, ENVIRON["KIND"] == "git" ? "git" : "find", total[1], total[2], figures
    }' "$work/out"
}
