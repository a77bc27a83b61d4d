#!/bin/sh
# The architect: how the tree is divided, how large its parts are, and which part includes which.
# shellcheck disable=SC2016
set -eu
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
start

run_awk '
function megabytes(n) { return sprintf("%.1f MB", n / 1048576) }
# The file of the tree that `target` means in a file of `from`, or nothing.
function resolve(from, target,   path, parts, n, i, depth, kept) {
  path = (from == "." ? "" : from "/") target
  n = split(path, parts, "/")
  depth = 0
  for (i = 1; i <= n; i++) {
    if (parts[i] == "" || parts[i] == ".") continue
    if (parts[i] == "..") { if (!depth) return ""; depth--; continue }
    kept[++depth] = parts[i]
  }
  path = ""
  for (i = 1; i <= depth; i++) path = path (i > 1 ? "/" : "") kept[i]
  return path
}
function include_of(file, target,   p) {
  if ((p = resolve(folder(file), target)) in exists) return p
  if ((p = resolve(".", target)) in exists) return p
  if ((p = "include/" target) in exists) return p
  if ((p = "src/" target) in exists) return p
  if ((p = top_folder(file) "/include/" target) in exists) return p
  if ((p = top_folder(file) "/src/" target) in exists) return p
  # Another include folder: only if the tree has one file of that name.
  return quoted && ends_in[target] != "several" ? ends_in[target] : ""
}
function python_of(module,   p) {
  gsub(/\./, "/", module)
  if ((p = module ".py") in exists) return p
  if ((p = module "/__init__.py") in exists) return p
  if ((p = "src/" module ".py") in exists) return p
  if ((p = "src/" module "/__init__.py") in exists) return p
  return ""
}
function script_of(file, target,   p, i, n, tails) {
  p = resolve(folder(file), target)
  if (p in exists) return p
  n = split(".js .ts .tsx .jsx .mjs /index.js /index.ts /index.tsx", tails, " ")
  for (i = 1; i <= n; i++) if ((p tails[i]) in exists) return p tails[i]
  return ""
}
# A "part" is a top-level folder, or a folder of src/ if everything is in there.
function part(file,   rest) {
  if (split_source && index(file, source_root) == 1) {
    rest = substr(file, length(source_root) + 1)
    return index(rest, "/") ? source_root top_folder(rest) : source_root
  }
  return top_folder(file)
}
function edge(from, to, line,   a, b) {
  if (from == to) return
  edges++
  used[to]++
  # What a test uses says nothing of how the parts hang together.
  firm = !is_test(from)
  if (firm && !((from, to) in linked)) {
    linked[from, to] = line
    targets[from] = targets[from] "\n" to
  }
  a = part(from)
  b = part(to)
  if (a == b || a == "." || b == ".") return
  arrows[a SUBSEP b]++
  if (!firm) return
  if (!firm_arrows[a SUBSEP b]++) {
    arrow_file[a, b] = from
    arrow_line[a, b] = line
    arrow_to[a, b] = to
  }
}
# Depth first without recursion; reports each circle of files once.
function circles(   node, depth, path, next_at, n, list, to, i, text, key) {
  for (key in targets) starts[++start_count] = key
  for (s = 1; s <= start_count; s++) {
    if (state[starts[s]]) continue
    depth = 1
    path[1] = starts[s]
    next_at[1] = 2
    state[path[1]] = 1
    while (depth) {
      node = path[depth]
      n = split(targets[node], list, "\n")
      if (next_at[depth] > n) { state[node] = 2; depth--; continue }
      to = list[next_at[depth]++]
      if (state[to] == 0) { path[++depth] = to; next_at[depth] = 2; state[to] = 1 }
      else if (state[to] == 1) {
        text = to
        for (i = depth; path[i] != to; i--) text = path[i] " -> " text
        file_circles++
        finding("circle", "warning", node, linked[node, to], "the files include each other in a circle: " to " -> " text)
      }
    }
  }
}
function parts_line(a, b) { return arrow_file[a, b] " uses " arrow_to[a, b] " (" count(firm_arrows[a SUBSEP b], "use", "uses") " this way)" }
BEGIN {
  table = ARGV[1]
  while (next_file(table)) {
    files++
    bytes += size
    exists[name]
    folder_files[top_folder(name)]++
    lower = tolower(name)
    if (lower in spelled) {
      collisions++
      finding("case", "warning", name, 0, "differs from " spelled[lower] " only in upper and lower case: they cannot both be checked out on macOS or Windows")
    } else spelled[lower] = name
    if (name ~ /[\001-\037:*?"<>|\\]/) {
      awkward++
      finding("awkward", "info", name, 0, "the name has a character that Windows does not allow")
    }
    if (size > 1048576) {
      large++
      finding("large", "warning", name, 0, size == 1048577 ? "is larger than 1 MB" : "is " megabytes(size) " large: every clone carries it")
    }
    if (!is_text) continue
    text_files++
    all_lines += lines
    folder_lines[top_folder(name)] += lines
    if (!is_code(lang) || is_foreign(name)) continue
    code_files++
    code_lines += lines
    code_name[code_files] = name
    code_lang[code_files] = lang
    length_of[name] = lines
    if (lang == "c" && extension(name) ~ /^(h|hh|hpp|hxx|ipp|inl|tpp)$/)
      for (tail = name; sub(/^[^\/]*\//, "", tail) && index(tail, "/");) {
        if (tail in ends_in) ends_in[tail] = "several"
        else ends_in[tail] = name
      }
    by_language[lang == "c" ? "c/c++" : lang] += lines
    if (name ~ /^src\//) in_source += lines
  }
  source_root = "src/"
  split_source = in_source * 2 > code_lines
  for (f = 1; f <= code_files; f++) {
    name = code_name[f]
    lang = code_lang[f]
    if (lang !~ /^(c|py|js)$/) continue
    path = "./" name
    number = 0
    strip_reset()
    while ((getline line < path) > 0) {
      number++
      if (lang == "c") {
        if (line !~ /^[ \t]*#[ \t]*include[ \t]*["<]/) continue
        quoted = line ~ /include[ \t]*"/
        sub(/^[^"<]*["<]/, "", line)
        sub(/[">].*$/, "", line)
        to = include_of(name, line)
      } else if (lang == "py") {
        if (line !~ /^(from|import) /) continue
        split(line, word, /[ ,;]+/)
        to = python_of(word[2])
      } else {
        if (line !~ /(from|require\(|import)[ (]*["\047]\.\.?\//) continue
        match(line, /["\047]\.\.?\/[^"\047]*["\047]/)
        to = script_of(name, substr(line, RSTART + 1, RLENGTH - 2))
      }
      if (to != "") edge(name, to, number)
    }
    close(path)
  }

  for (key in arrows) {
    split(key, pair, SUBSEP)
    if (firm_arrows[key] && firm_arrows[pair[2] SUBSEP pair[1]]) {
      if (pair[1] < pair[2]) {
        mutual++
        weak = firm_arrows[key] <= firm_arrows[pair[2] SUBSEP pair[1]]
        a = weak ? pair[1] : pair[2]
        b = weak ? pair[2] : pair[1]
        finding("mutual", "warning", arrow_file[a, b], arrow_line[a, b],
          a "/ and " b "/ use each other: " parts_line(a, b) "; " count(firm_arrows[b SUBSEP a], "use", "uses") " the other way, as in " \
          arrow_file[b, a] ":" arrow_line[b, a])
      }
    }
    arrow_text[pair[1] " -> " pair[2]] = arrows[key]
  }
  circles()
  n = largest(length_of, 10, order)
  for (i = 1; i <= n; i++)
    if (length_of[order[i]] > 1000)
      finding("long", is_test(order[i]) ? "info" : "warning", order[i], 0, "has " length_of[order[i]] " lines: more than one reader holds in mind")
    else if (i == 1)
      finding("long", "info", order[1], 0, "is the longest source file, with " length_of[order[1]] " lines")
  for (name in length_of) if (length_of[name] > 1000) long_files++
  if (largest(used, 1, order) && used[order[1]] > 2)
    finding("hub", "info", order[1], 0, used[order[1]] " files include it directly: a change to it reaches the most")
  for (name in folder_files) if (name != ".") folders++
  n = largest(folder_lines, 1, order)
  if (n && order[1] != ".") {
    share = int(100 * folder_lines[order[1]] / all_lines)
    finding("main", "info", "", 0, order[1] "/ is the largest folder: " folder_lines[order[1]] " of " all_lines " lines (" share "%)")
  }
  for (key in arrows) arrow_count++
  summary(count(files, "file", "files") " in " count(folders, "top-level folder", "top-level folders") ", " code_lines + 0 " lines of code in " \
    count(code_files + 0, "source file", "source files") "; " count(arrow_count + 0, "dependency", "dependencies") " between folders, " \
    count(mutual + 0, "pair", "pairs") " of folders that use each other and " count(file_circles + 0, "circle", "circles") " of files.")
  figure("files", files + 0)
  figure("text_lines", all_lines + 0)
  figure("code_files", code_files + 0)
  figure("code_lines", code_lines + 0)
  figure("files_above_1000_lines", long_files + 0)
  figure("files_above_1_mb", large + 0)
  figure("names_that_differ_in_case", collisions + 0)
  figure("includes_inside_the_tree", edges + 0)
  figure("folder_circles", mutual + 0)
  figure("file_circles", file_circles + 0)
  figure_json("lines_by_folder", ranked(folder_lines, 10, "folder", "lines"))
  figure_json("lines_by_language", ranked(by_language, 10, "language", "lines"))
  figure_json("longest_files", ranked(length_of, 10, "file", "lines"))
  figure_json("dependencies", ranked(arrow_text, 10, "from_to", "includes"))
}' "$work/tree"
report
