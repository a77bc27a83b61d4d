#!/bin/sh
# The historian: which files change most and together, who knows them, and how old all that is.
# It reads the last 2000 commits, merges left out.
# shellcheck disable=SC2016,SC2154
set -eu
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
start

: >"$work/log"
shallow=no
if git rev-parse --verify -q HEAD >/dev/null 2>&1; then
  shallow=$(git rev-parse --is-shallow-repository)
  set --
  [ -z "$(git rev-parse --show-prefix)" ] || set -- -- .
  g log --no-merges --no-renames --relative --name-only --max-count=2000 \
    --format='%x01%ct%x09%ae%x09%aN' "$@" >"$work/log"
fi

NOW=$(date +%s) SHALLOW=$shallow run_awk '
function days(seconds,   n) { n = int(seconds / 86400); return n < 1 ? "less than a day" : count(n, "day", "days") }
# One commit is complete: its files are changed[1..n].
function finish(   i, j, a, b) {
  for (i = 1; i <= n; i++) {
    changes[changed[i]]++
    if (!((changed[i], author) in by)) { by[changed[i], author]; hands[changed[i]]++; last_hand[changed[i]] = author }
  }
  if (n > 15) return
  for (i = 1; i <= n; i++)
    for (j = 1; j <= n; j++)
      if (changed[i] < changed[j]) together[changed[i] SUBSEP changed[j]]++
}
# Files that belong together by their names: a source and its header, a source and its test.
function related(a, b) {
  a = tolower(stem(a))
  b = tolower(stem(b))
  gsub(/^test[_.-]|[_.-](test|tests|spec)$/, "", a)
  gsub(/^test[_.-]|[_.-](test|tests|spec)$/, "", b)
  return index(a, b) || index(b, a)
}
function is_reviewed(name) {
  return (name in here) && (here[name] || !has_code) && !is_foreign(name) && base(name) !~ /^(CHANGELOG|CHANGES|NEWS|HISTORY|VERSION|AUTHORS)/
}
BEGIN {
  tree = ARGV[1]
  history = ARGV[2]
  while (next_file(tree)) { here[name] = is_code(lang); files++; if (is_code(lang)) has_code = 1 }
  while ((getline line < history) > 0) {
    if (line == "") continue
    if (substr(line, 1, 1) == "\001") {
      finish()
      n = 0
      split(substr(line, 2), column, "\t")
      if (!commits || column[1] > newest) newest = column[1]
      if (!commits || column[1] < oldest) oldest = column[1]
      commits++
      author = column[3] == "" ? column[2] : column[3]
      author_commits[author]++
      continue
    }
    line = unquote(line)
    if (line in here) changed[++n] = line
  }
  finish()

  for (author in author_commits) {
    if (author ~ /\[bot\]$/) { bot_commits += author_commits[author]; delete author_commits[author] }
    else { authors++; human_commits += author_commits[author] }
  }
  k = largest(author_commits, authors, order)
  for (i = 1; i <= k && covered * 2 <= human_commits; i++) { covered += author_commits[order[i]]; bus++ }
  if (authors == 1 && human_commits > 1)
    finding("bus", "info", "", 0, "all " human_commits " commits are by " order[1] ": nobody else has changed this tree")
  else if (bus == 1 && human_commits >= 10)
    finding("bus", "warning", "", 0,
      order[1] " made " author_commits[order[1]] " of " human_commits " commits: more than half of the knowledge is with one author")

  for (name in changes) {
    touched++
    if (!is_reviewed(name)) continue
    hot[name] = changes[name]
    if (authors > 1 && hands[name] == 1 && changes[name] >= 5) { alone[name] = changes[name]; islands++ }
  }
  k = largest(hot, 5, hot_order)
  for (i = 1; i <= k; i++)
    if (hot[hot_order[i]] >= 3)
      finding("hot", "info", hot_order[i], 0,
        "changed in " hot[hot_order[i]] " of " commits " commits, by " \
        count(hands[hot_order[i]], "author", "authors") ": a hot spot, where review and tests pay most")
  top = k && hot[hot_order[1]] > 1 ? hot_order[1] : ""
  n = largest(alone, 5, order)
  for (i = 1; i <= n; i++)
    finding("alone", "warning", order[i], 0,
      "all " alone[order[i]] " changes are by " last_hand[order[i]] " (commits read: " commits "): nobody else knows it from work on it")
  for (key in together) {
    split(key, pair, SUBSEP)
    if (together[key] < 5 || !is_reviewed(pair[1]) || !is_reviewed(pair[2]) || related(pair[1], pair[2])) continue
    less = changes[pair[1]] < changes[pair[2]] ? changes[pair[1]] : changes[pair[2]]
    if (together[key] >= 0.7 * less && folder(pair[1]) != folder(pair[2])) { couples[key] = together[key]; coupled++ }
  }
  n = largest(couples, 5, order)
  for (i = 1; i <= n; i++) {
    split(order[i], pair, SUBSEP)
    a = changes[pair[1]] <= changes[pair[2]] ? pair[1] : pair[2]
    b = a == pair[1] ? pair[2] : pair[1]
    finding("together", "info", a, 0, couples[order[i]] " of its " changes[a] " changes came with a change of " b ": they depend on each other across folders")
  }
  age = ENVIRON["NOW"] - newest
  if (commits && age > 365 * 86400)
    finding("age", "warning", "", 0, "the last commit is " days(age) " old")
  if (ENVIRON["SHALLOW"] == "true")
    finding("shallow", "info", "", 0, "the clone is shallow: only " count(commits + 0, "commit is", "commits are") " known here, so the figures are too low")
  if (!commits) {
    finding("none", "info", "", 0, "there is no history to read")
    summary("No history: " count(files + 0, "file", "files") " and no commit.")
  } else {
    summary(count(commits, "commit", "commits") (commits == 2000 ? " (the last ones)" : "") " by " count(authors + 0, "author", "authors") \
      " in " days(newest - oldest) ", the last one " days(age < 0 ? 0 : age) " ago; " \
      (top == "" ? "no file stands out" : top " changed most (" count(hot[top], "time", "times") ")") \
      (authors > 1 ? "; " count(bus, "author", "authors") " made more than half of the commits." : "."))
    figure("days_since_last_commit", age < 0 ? 0 : int(age / 86400))
    figure("days_of_history", int((newest - oldest) / 86400))
  }
  figure("commits", commits + 0)
  figure("commits_by_bots", bot_commits + 0)
  figure("authors", authors + 0)
  figure("bus_factor", bus + 0)
  figure("files", files + 0)
  figure("files_changed_in_these_commits", touched + 0)
  figure("files_of_one_author", islands + 0)
  figure("pairs_that_change_together", coupled + 0)
  figure_json("hot_spots", ranked(hot, 10, "file", "commits"))
  figure_json("commits_by_author", ranked(author_commits, 10, "author", "commits"))
}' "$work/tree" "$work/log"
report
