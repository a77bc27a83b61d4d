#!/bin/sh
# The security reviewer: secrets that are in the tree, odd file modes, and calls that have hurt many before.
# It never prints a secret, only where one stands. Findings in tests count one degree less.
# shellcheck disable=SC2016
set -eu
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
start

# Only files with one of these words are read whole.
grep_files -l -E -e 'PRIVATE KEY-----|(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{40}' \
  -e 'xox[abprs]-[0-9A-Za-z-]{10}|AIza[0-9A-Za-z_-]{35}|sk_live_[0-9A-Za-z]{20}|glpat-[0-9A-Za-z_-]{20}' \
  -e '_authToken=|([Pp]ass(word|wd)|PASS(WORD|WD)|[Ss]ecret|SECRET|[Tt]oken|TOKEN|[Aa]pi_?[Kk]ey|API_?KEY)["'\'']?[ 	]*[:=]' \
  -e '(gets|str(n?cpy|n?cat)|v?sprintf|system|popen|mktemp|tmpnam|eval|exec|loads?|unserialize) *\(' \
  -e 'shell *= *True|verify *= *False|CERT_NONE|InsecureSkipVerify|SSL_VERIFY(PEER|HOST|_NONE)|verify_none' \
  -e 'rejectUnauthorized|TLS_REJECT_UNAUTHORIZED|StrictHostKeyChecking|new Function|document\.write|shell_exec|passthru' \
  -e '(curl|wget)[^|]*\|.*sh|curl .*(-k|--insecure)|chmod.*777|eval |--no-check-certificate|pull_request_target' >"$work/candidates"
# One step into each folder of the list: a walk through everything would read what git ignores, too.
# xargs takes names with a backslash before each character, but no newline.
awk "$awk_lib"'
  BEGIN {
    table = ARGV[1]
    while (next_file(table)) {
      at = folder(name)
      if ((at in seen) || at ~ /\n/) continue
      seen[at]
      at = "./" at "/."
      gsub(/./, "\\\\&", at)
      print at
    }
  }' "$work/tree" >"$work/folders"
with_mode() {
  [ -s "$work/folders" ] || return 0
  xargs sh -c 'find "$@" ! -name . -prune -type f '"$1"' -exec printf "%s\0" {} +' sh <"$work/folders" |
    tr '\n\0' '\001\n' | awk '
      { sub(/^\.\/(\.\/)*/, ""); sub(/\/\.\//, "/") }
      /["\\\001]/ { gsub(/["\\]/, "\\\\&"); gsub("\001", "\\n"); $0 = "\"" $0 "\"" }
      { print }'
}
with_mode '-perm -0002' >"$work/writable"
with_mode '"(" -perm -4000 -o -perm -2000 ")"' >"$work/setuid"

run_awk '
function in_tests(severity) { return !is_test(name) ? severity : severity == "error" ? "warning" : "info" }
function secret(what) { secrets++; finding("secret", in_tests("error"), name, number,
    what ": whoever has the tree has it; withdraw it and take it out of the history") }
function call(severity, what) { calls++; finding("call", in_tests(severity), name, number, what) }
function has(token) { return match(raw, token) && substr(raw, RSTART, RLENGTH) !~ /EXAMPLE|example|XXXX|xxxx|0000000|1234567/ }
function secrets_of(   literal, key) {
  if (raw ~ /^[ \t]*["\047]?-----BEGIN ([A-Z]+ )*PRIVATE KEY-----["\047,\\nr ;]*$/) { key_line = number; return }
  # A header alone is a text about keys; with key material behind it, it is a key.
  if (key_line && number - key_line <= 3 && raw ~ /^[ \t"\047]*[A-Za-z0-9+\/=]+[ \t"\047,\\nr ;]*$/ && length(raw) >= 40) {
    saved = number
    number = key_line
    secret("a private key")
    number = saved
    key_line = 0
    return
  }
  if (has("(^|[^A-Za-z0-9])(AKIA|ASIA)[0-9A-Z]" fifteen "($|[^A-Za-z0-9])")) secret("looks like an access key of AWS")
  else if (has("gh[pousr]_" thirty_six)) secret("looks like a token of GitHub")
  else if (raw ~ /github_pat_/ && has("github_pat_[0-9A-Za-z_]" thirty_nine)) secret("looks like a token of GitHub")
  else if (has("glpat-" twenty)) secret("looks like a token of GitLab")
  else if (has("xox[abprs]-[0-9]+-[0-9A-Za-z-]+")) secret("looks like a token of Slack")
  else if (has("AIza" thirty_five)) secret("looks like a key of Google")
  else if (has("sk_live_" twenty)) secret("looks like a key of Stripe")
  else if (raw ~ ("_authToken=\"?" eight)) secret("a token of a package registry")
  else if (!is_test(name) && lang != "md" && name !~ /(^|\/)(docs?|examples?|samples?|demos?)\// &&
           match(raw, /([Pp]assword|[Pp]asswd|PASSWORD|PASSWD|[Ss]ecret|SECRET|[Tt]oken|TOKEN|[Aa]pi_?[Kk]ey|API_?KEY)["\047]?[ \t]*:?[:=][ \t]*["\047][^"\047 $<>{}%()]+["\047]/)) {
    literal = substr(raw, RSTART, RLENGTH)
    match(literal, /["\047][^"\047]*["\047]$/)
    literal = substr(literal, RSTART + 1, RLENGTH - 2)
    # Text with letters and digits mixed; a name or a sentence is none.
    if (length(literal) >= 10 && literal ~ /[0-9]/ && literal ~ /[A-Za-z]/ &&
        tolower(literal) !~ /example|change|dummy|test|your|xxx|placeholder|sample|fake|secret|password|token|key|[.\/].*[.\/]|:|^[a-z_-]+[0-9]?$/)
      { passwords++; finding("password", "warning", name, number, "a secret seems to be written into the source") }
  }
}
function calls_of(code) {
  # The head of a function says what could be passed, not what is.
  head = lang == "py" && (in_def || code ~ /^[ \t]*(async[ \t]+)?def[ \t]/)
  if (head) in_def = code !~ /:[ \t]*$/
  if (code !~ /gets|str(cpy|cat)|sprintf|system|popen|te?mp|nam|VERIFY|[vV]erify|eval|exec|shell|ickle|yaml|CERT_NONE|Function|write|reject|unserialize|passthru|curl|wget|chmod|Strict|REJECT|pull_/) return
  if (lang == "c") {
    if (code ~ /(^|[^A-Za-z0-9_.>])gets[ \t]*\([A-Za-z_]/) call("error", "gets() cannot be used safely: use fgets()")
    else if (match(code, /(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf)[ \t]*\(/) && code !~ /#[ \t]*define/)
      { what = substr(code, RSTART, RLENGTH); gsub(/[^a-z]/, "", what); call("warning", what "() does not know how large its target is") }
    else if (code ~ /(^[ \t]*|[;{}(=!&|][ \t]*|return[ \t]+|std::)(system|popen)[ \t]*\([ \t]*[A-Za-z_"].*;/)
        call("warning", "starts a shell: an argument with a blank or a quote in it becomes a command")
    else if (code ~ /(^|[^A-Za-z0-9_.>])(mktemp|tmpnam|tempnam)[ \t]*\(/)
        call("warning", "another process can take this temporary name first: use mkstemp()")
    if (code ~ /SSL_VERIFY(PEER|HOST)[ \t]*,[ \t]*(0|false)|(set_verify_mode|SSL_CTX_set_verify|SSL_set_verify)[ \t]*\(.*(verify_none|VERIFY_NONE)/)
        call("warning", "the certificate of the other side is not verified")
  } else if (lang == "py") {
    if (code ~ /(^|[^A-Za-z0-9_.])(eval|exec)[ \t]*\([ \t]*[A-Za-z_fF"]/ && code !~ /def[ \t]+(eval|exec)/)
        call("warning", "runs text as code: safe only if nobody else can write that text")
    if (code ~ /(^|[^A-Za-z0-9_])os\.(system|popen)[ \t]*\(/)
        call("warning", "starts a shell: an argument with a blank or a quote in it becomes a command")
    if (!head && code ~ /[(, \t]shell[ \t]*=[ \t]*True/) call("warning", "shell=True: an argument with a blank or a quote in it becomes a command")
    if (code ~ /(^|[^A-Za-z0-9_])c?[pP]ickle\.loads?[ \t]*\(/) call("warning", "unpickling runs what the data says: only for data of your own")
    if (code ~ /(^|[^A-Za-z0-9_])yaml\.load[ \t]*\(/ && code !~ /Loader/)
        call("warning", "yaml.load without a safe loader can run code: use yaml.safe_load")
    if (code ~ /verify[ \t]*=[ \t]*False|=[ \t]*ssl\.CERT_NONE/) call("warning", "the certificate of the other side is not verified")
    if (code ~ /tempfile\.mktemp[ \t]*\(/) call("warning", "another process can take this temporary name first: use mkstemp()")
  } else if (lang == "js") {
    if (code ~ /(^|[^A-Za-z0-9_.$])eval[ \t]*\(|new[ \t]+Function[ \t]*\(/)
        call("warning", "runs text as code: safe only if nobody else can write that text")
    if (code ~ /document\.write[ \t]*\(/) call("info", "document.write puts text into the page as HTML")
    if (code ~ /rejectUnauthorized["\047]?[ \t]*:[ \t]*false/) call("warning", "the certificate of the other side is not verified")
  } else if (lang == "go") {
    if (code ~ /InsecureSkipVerify[ \t]*:[ \t]*true/) call("warning", "the certificate of the other side is not verified")
  } else if (lang == "php") {
    if (code ~ /(^|[^A-Za-z0-9_>])(eval|shell_exec|passthru|unserialize)[ \t]*\([^)]*\$/) call("warning", "runs or builds what a variable says")
  }
  if (lang ~ /^(sh|docker|yaml|make)$/) {
    if (code ~ /(^|[ \t;&|($])(curl|wget)[ \t][^|]*[|][ \t]*(sudo[ \t]+)?(\/bin\/|\/usr\/bin\/env[ \t]+)?(ba|da|k|z)?sh([ \t;)]|$)/)
      call("warning", "runs whatever the other side sends: download, compare with a known checksum, then run")
    if (code ~ /(^|[ \t;&|($])(curl[ \t]([^|;]*[ \t])?(-[a-jl-zA-Z]*k[A-Za-z]*|--insecure)|wget[ \t].*--no-check-certificate)([ \t;)]|$)/ && code !~ /localhost|127\.0\.0\.1/)
      call("warning", "the certificate of the other side is not verified")
    if (code ~ /(^|[ \t;&|])chmod[ \t]+(-R[ \t]+)?(a\+rwx|0?777)[ \t]/) call("warning", "chmod 777: every user of the machine may change it")
    if (code ~ /StrictHostKeyChecking[= ]no/) call("warning", "the key of the other host is not verified")
    if (code ~ /NODE_TLS_REJECT_UNAUTHORIZED["\047]?[=:][ \t]*["\047]?0/) call("warning", "the certificate of the other side is not verified")
  }
  if (lang == "sh" && code ~ /(^|[;&|({][ \t]*|(then|do|else)[ \t]+)[ \t]*eval[ \t]+["$]/)
    { evals++; if (evals == 1) eval_at = number; if (evals == 1) eval_file = name }
  if (lang == "yaml" && name ~ /(^|\/)\.github\/workflows\// && code ~ /^[ \t-]*pull_request_target[ \t]*:?/)
    call("warning", "pull_request_target gives code of strangers the rights of this repository")
}
BEGIN {
  tree = ARGV[1]
  fifteen = thirty_six = thirty_five = thirty_nine = twenty = eight = ""
  for (i = 1; i <= 16; i++) fifteen = fifteen (i > 1 ? "[0-9A-Z]" : "")
  for (i = 1; i <= 39; i++) {
    if (i <= 8) eight = eight "[0-9A-Za-z_-]"
    if (i <= 20) twenty = twenty "[0-9A-Za-z_-]"
    if (i <= 35) thirty_five = thirty_five "[0-9A-Za-z_-]"
    if (i <= 36) thirty_six = thirty_six "[0-9A-Za-z]"
    if (i < 39) thirty_nine = thirty_nine "[0-9A-Za-z_]"
  }
  while ((getline line < ARGV[2]) > 0) candidate[unquote(line)]
  while ((getline line < ARGV[3]) > 0) writable[unquote(line)]
  while ((getline line < ARGV[4]) > 0) setuid[unquote(line)]
  while (next_file(tree)) {
    files++
    b = base(name)
    e = extension(name)
    number = 0
    if (b ~ /^\.env(\.(local|prod|production|staging|dev|development))?$/ && size) secret_file = "an .env file is for one machine"
    else if (b ~ /^id_(rsa|dsa|ecdsa|ed25519)$/) secret_file = "the private key of a user"
    else if (e ~ /^(p12|pfx|jks|keystore|kdbx)$/) secret_file = "a store of keys"
    else if (b ~ /^(\.netrc|\.pgpass|\.htpasswd|\.git-credentials)$/) secret_file = "a file of passwords"
    else secret_file = ""
    if (secret_file != "") { secret_files++; finding("file", in_tests(b ~ /^id_/ ? "error" : "warning"), name, 0,
        secret_file ": it does not belong into the tree") }
    if (name in setuid) { odd++; finding("setuid", "error", name, 0, "runs with the rights of its owner or group (set-id bit)") }
    if (name in writable) { open++; if (open == 1) open_name = name }
    if (!is_text) continue
    text_files++
    if (mode % 1000 >= 700 && e !~ /^(bat|cmd|ps1|exe|com)$/ && lines) {
      path = "./" name
      first = ""
      getline first < path
      close(path)
      if (first !~ /^(#!|\357\273\277#!|@echo|@ECHO)/) { odd++; finding("mode", "info", name, 0,
          "is executable, but does not begin with #!: no program, or no interpreter named") }
    }
    if (!(name in candidate)) continue
    path = "./" name
    strip_reset()
    key_line = in_def = 0
    while ((getline raw < path) > 0) {
      number++
      if (length(raw) > 1000) continue
      if (raw ~ /-----|[Pp]ass|PASS|[Ss]ecret|SECRET|[Tt]oken|TOKEN|[Aa]pi_?[Kk]ey|API_?KEY|A[KS]IA|gh[pousr]_|github_pat_|xox|AIza|sk_live|glpat|_auth/ || key_line)
        secrets_of()
      if (lang != "" && lang != "md" && !is_foreign(name)) calls_of(strip(raw, lang))
    }
    close(path)
  }
  if (evals) finding("eval", "info", eval_file, eval_at, count(evals, "eval", "evals") \
    " of a variable in shell scripts: each is safe only if nobody else can write that text")
  if (open) finding("open", "warning", open_name, 0, count(open, "file is", "files are") \
    " writable for every user of the machine" (open > 1 ? ", this one for example" : ""))
  summary(count(text_files + 0, "text file", "text files") " of " files + 0 " read: " count(secrets + passwords + 0, "secret", "secrets") " in the text, " \
    count(secret_files + 0, "file", "files") " that should not be here, " count(calls + 0, "risky call", "risky calls") ", " \
    count(odd + open + 0, "odd file mode", "odd file modes") ".")
  figure("files", files + 0)
  figure("text_files", text_files + 0)
  figure("secrets", secrets + passwords + 0)
  figure("secret_files", secret_files + 0)
  figure("risky_calls", calls + 0)
  figure("shell_evals", evals + 0)
  figure("odd_modes", odd + 0)
  figure("writable_for_all", open + 0)
}' "$work/tree" "$work/candidates" "$work/writable" "$work/setuid"
report
