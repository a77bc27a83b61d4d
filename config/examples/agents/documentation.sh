#!/bin/sh
# The documentation reviewer: a README and a licence, links and paths that lead nowhere, folders nobody explains.
# shellcheck disable=SC2016
set -eu
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
start

below=
if [ "$kind" = git ]; then
  below=$(git rev-parse --show-prefix)
fi

BELOW=$below run_awk '
function percent_decoded(s,   result, i, h) {
  if (s !~ /%[0-9A-Fa-f][0-9A-Fa-f]/) return s
  result = ""
  for (i = 1; i <= length(s); i++)
    if (substr(s, i, 3) ~ /^%[0-9A-Fa-f][0-9A-Fa-f]$/) {
      h = tolower(substr(s, i + 1, 2))
      result = result sprintf("%c", (index("0123456789abcdef", substr(h, 1, 1)) - 1) * 16 + index("0123456789abcdef", substr(h, 2, 1)) - 1)
      i += 2
    } else result = result substr(s, i, 1)
  return result
}
# The path below the folder under review, "" for the folder itself; left_tree tells that it is outside.
function resolve(from, target,   parts, n, i, depth, kept, path) {
  n = split((from == "." ? "" : from "/") target, parts, "/")
  left_tree = 0
  depth = 0
  for (i = 1; i <= n; i++) {
    if (parts[i] == "" || parts[i] == ".") continue
    if (parts[i] == "..") { if (!depth) { left_tree = 1; return "" } depth--; continue }
    kept[++depth] = parts[i]
  }
  path = ""
  for (i = 1; i <= depth; i++) path = path (i > 1 ? "/" : "") kept[i]
  return path
}
function check(name, number, target,   path, shown) {
  shown = target
  sub(/^</, "", target)
  sub(/>$/, "", target)
  sub(/[#?].*$/, "", target)
  if (target == "" || target ~ /^[A-Za-z][A-Za-z0-9+.-]*:|^\/\/|[{}<>$*]/) return
  if (target ~ /^\// && ENVIRON["BELOW"] != "") return
  links++
  path = target ~ /^\// ? resolve(".", target) : resolve(folder(name), target)
  if (left_tree || path == "" || (path in exists)) return
  path = percent_decoded(path)
  if (path in exists) return
  # A site generator makes page from page.md.
  if ((path ".md") in exists || (site && path ~ /\.html?$/)) return
  broken++
  finding("broken", "warning", name, number, "the link to " shown " leads nowhere: there is no " path " in the tree")
}
# `src/a.cpp` in running text, if its first folder is one of the tree.
function mention(name, number, text,   at) {
  if (text !~ /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+$/ || text ~ /^\.\.|\/\.\.\//) return
  sub(/^\.\//, "", text)
  if (extension(text) !~ /^(c|cc|cpp|cxx|h|hpp|py|sh|js|ts|go|rs|rb|java|md|json|yml|yaml|toml|cmake|txt)$/) return
  if (!((at = top_folder(text)) in folder_files) || at == ".") return
  if ((text in exists) || (resolve(folder(name), text) in exists)) return
  # The end of a longer path is a fair way to name a file, and include/ is often left out.
  if (text in tails) return
  gone++
  finding("gone", "info", name, number, "names " text ", which is not in the tree")
}
function tails_of(name) {
  while (sub(/^[^\/]*\//, "", name)) if (index(name, "/")) tails[name]
}
BEGIN {
  table = ARGV[1]
  while (next_file(table)) {
    files++
    exists[name]
    tails_of(name)
    if (name ~ /(^|\/)(mkdocs\.yml|docusaurus\.config\.[a-z]+|_config\.yml|book\.toml|conf\.py)$/) site = 1
    folder_files[top_folder(name)]++
    for (at = folder(name); at != "." && !(at in exists); at = folder(at)) exists[at]
    if (tolower(name) ~ /^(\.github\/|docs\/)?readme(\.[a-z]+)?$/) { if (readme == "" || length(name) < length(readme)) readme = name }
    if (tolower(name) ~ /^(licen[sc]e|copying|unlicense)([.-].*)?$|^licenses\//) licence = name
    if (tolower(name) ~ /^[^\/]+\/readme(\.[a-z]+)?$/) explained[top_folder(name)]
    if (is_text && (lang == "md" || (name !~ /\// && extension(name) ~ /^(rst|adoc|org)$/) || name == readme) && !is_foreign(name)) {
      documents++
      document_lines += lines
      document[documents] = name
      document_lang[documents] = name == readme && lang == "" ? "" : lang
      if (name == readme) readme_lines = lines
    }
    if (lang ~ /^(c|sh|py|js|go|rs|java)$/ && is_text && !is_foreign(name) && !is_test(name) && lines >= 20) {
      code_files++
      path = "./" name
      commented = 0
      for (i = 1; i <= 30 && (getline line < path) > 0; i++)
        if (line ~ /^[ \t]*(\/\/|\/\*|\*|"""|r"""|\047\047\047)|^[ \t]*#[ \t]/) { commented = 1; break }
      close(path)
      if (!commented) { uncommented++; silent[name] = lines }
    }
  }
  for (d = 1; d <= documents; d++) {
    name = document[d]
    markdown = document_lang[d] == "md"
    # What was changed long ago may well name files that are gone.
    past = tolower(base(name)) ~ /^(changelog|changes|news|history|releases?)([.-]|$)/
    path = "./" name
    number = 0
    fence = ""
    comment = 0
    while ((getline line < path) > 0) {
      number++
      if (name !~ /\/.*\//) {
        n = split(line, word, /[^A-Za-z0-9_.-]+/)
        for (i = 1; i <= n; i++) { explained[word[i]]; sub(/\.+$/, "", word[i]); explained[word[i]] }
      }
      if (!markdown) continue
      if (match(line, /^[ \t>]*(```+|~~~+)/)) {
        mark = substr(line, RSTART + RLENGTH - 3, 3)
        if (fence == "") fence = mark
        else if (fence == mark) fence = ""
        continue
      }
      if (fence != "" || line ~ /^(    |\t)[^ \t*+0-9-]/) continue
      if (comment) { if (!index(line, "-->")) continue; sub(/^.*-->/, "", line); comment = 0 }
      while (match(line, /<!--/)) {
        rest = substr(line, RSTART)
        if (!(i = index(rest, "-->"))) { line = substr(line, 1, RSTART - 1); comment = 1; break }
        line = substr(line, 1, RSTART - 1) substr(rest, i + 3)
      }
      while (match(line, /`[^`]+`/)) {
        quoted = substr(line, RSTART + 1, RLENGTH - 2)
        line = substr(line, 1, RSTART - 1) "code" substr(line, RSTART + RLENGTH)
        if (!past) mention(name, number, quoted)
      }
      if (line ~ /^ ? ? ?\[[^]]+\]:[ \t]*[^ \t]/ && line !~ /^ ? ? ?\[\^/) {
        target = line
        sub(/^ *\[[^]]+\]:[ \t]*/, "", target)
        sub(/[ \t].*$/, "", target)
        check(name, number, target)
        continue
      }
      while (match(line, /\]\((<[^>]*>|[^() \t]*(\([^()]*\)[^() \t]*)*)([ \t]+("[^"]*"|\047[^\047]*\047))?[ \t]*\)/)) {
        target = substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
        if (target !~ /^</) sub(/[ \t].*$/, "", target)
        else sub(/>.*$/, ">", target)
        check(name, number, target)
      }
    }
    close(path)
  }
  if (readme == "") finding("readme", "warning", "", 0, "there is no README: a newcomer finds no way in")
  else if (readme_lines < 10 && readme_lines > 0)
    finding("readme", "info", readme, 0, "the README has " count(readme_lines, "line", "lines") " only")
  if (licence == "" && ENVIRON["BELOW"] == "")
    finding("licence", "warning", "", 0, "there is no LICENSE or COPYING file: nobody may use this without asking")
  for (at in folder_files)
    # Some names explain themselves.
    if (at !~ /^\.|^(docs?|documentation|tests?|specs?|src|source|include|lib|bin|scripts?|tools?|examples?|samples|bench|benchmarks?|node_modules|__pycache__)$/) {
      folders++
      if (!(at in explained)) { unexplained++; open_folders[at] = folder_files[at] }
    }
  n = largest(open_folders, 10, order)
  for (i = 1; i <= n; i++)
    finding("folder", "info", order[i], 0, "no document names this folder of " count(open_folders[order[i]], "file", "files") ", and it has no README")
  n = largest(silent, 5, order)
  for (i = 1; i <= n; i++)
    if (silent[order[i]] >= 100)
      finding("silent", "info", order[i], 0, "no comment in its first 30 of " silent[order[i]] " lines says what it is for")
  summary((readme == "" ? "No README" : "README with " count(readme_lines + 0, "line", "lines")) ", " count(documents + 0, "document", "documents") \
    " with " count(links + 0, "relative link", "relative links") ", " broken + 0 " of them broken; " unexplained + 0 " of " \
    count(folders + 0, "top-level folder is", "top-level folders are") " explained nowhere.")
  figure("documents", documents + 0)
  figure("document_lines", document_lines + 0)
  figure("readme_lines", readme_lines + 0)
  figure("relative_links", links + 0)
  figure("broken_links", broken + 0)
  figure("names_of_missing_files", gone + 0)
  figure("top_level_folders", folders + 0)
  figure("unexplained_folders", unexplained + 0)
  figure("source_files", code_files + 0)
  figure("source_files_without_opening_comment", uncommented + 0)
}' "$work/tree"
report
