# shellcheck shell=sh disable=SC2016,SC2034
# awk_lib.sh: what the awk programs of the six reviewers share; lib.sh begins each of them with it.
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
