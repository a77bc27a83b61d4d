# What TAB makes of a line: zsh -f complete.zsh SCRIPT LINE prints <<<LINE>>>. Completion runs only in a
# line editor, and that only on a terminal: this is a pseudo one.
zmodload zsh/zpty
setopt extended_glob
zpty shell zsh -f -i
zpty -w shell "PS1='' RPS1=''; unsetopt zle_bracketed_paste beep prompt_sp"
zpty -w shell 'autoload -Uz compinit && compinit -D -u && source '"${(q)1}"
zpty -w shell 'show() { print -r -- "<<""<$BUFFER>>"">"; exit }; zle -N show; bindkey "^X" show'
zpty -w shell 'print rea"dy"'
zpty -r -m shell seen '*ready*' || exit 1
zpty -w -n shell "$2"$'\t\x18'
zpty -r -m shell seen '*<<<*>>>*' || exit 1
print -r -- "${${seen#*<<<}%%>>>*}"
