# shellcheck shell=sh disable=SC2016,SC2034
# lib.sh: what the six reviewers share. It needs a POSIX shell, the POSIX utilities and git.
#
#   . "${0%/*}/lib.sh"   then   start   (reads the task, goes to its folder, lists its files)
#   run_awk 'PROGRAM'    awk with the functions of awk_lib.sh; what it prints is collected in $work/out
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

# shellcheck source=awk_lib.sh
. "${0%/*}/awk_lib.sh"

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
