# idiolect at the prompt: ghost texts behind the cursor. Needs zsh 5.3 or newer.
if [[ -o zle ]] && (( ! ${+_idiolect_helper} )); then

typeset -ga _idiolect_helper=(@HELPER@ --app "${TERM_PROGRAM:-$TERM} terminal")
typeset -gi _idiolect_number=0                 # of the question that was asked last
typeset -g _idiolect_full_line='@FULL_LINE@'
typeset -g _idiolect_in='' _idiolect_out=''    # file descriptors of the helper
typeset -g _idiolect_left='' _idiolect_ghost=''
typeset -g _idiolect_style=${IDIOLECT_STYLE:-fg=8}
# Which highlights are ours: zsh moves them while text is typed, and before 5.9 keeps no note of whose they are.
autoload -Uz is-at-least
is-at-least 5.9 && typeset -g _idiolect_ours='*memo=idiolect' || typeset -g _idiolect_ours="* $_idiolect_style"

# The helper is started at the first question. zsh reads from it when something is there (zle -F), and never waits.
_idiolect_start() {
  emulate -L zsh
  local folder
  folder=$(mktemp -d) || return
  {
    mkfifo -m 600 $folder/in || return
    exec {_idiolect_out}< <(exec $_idiolect_helper < $folder/in 2>/dev/null)
    exec {_idiolect_in}> $folder/in
  } always {
    rm -rf $folder
  }
  zle -F -w $_idiolect_out _idiolect_answer
}

_idiolect_stop() {
  emulate -L zsh
  zle -F $_idiolect_out
  exec {_idiolect_in}>&- {_idiolect_out}<&-
  _idiolect_in='' _idiolect_out=''
}

_idiolect_show() {
  emulate -L zsh
  region_highlight=("${(@)region_highlight:#$~_idiolect_ours}")
  POSTDISPLAY=$_idiolect_ghost
  [[ -z $_idiolect_ghost ]] || region_highlight+=(
    "$#BUFFER $(( $#BUFFER + $#POSTDISPLAY )) $_idiolect_style, memo=idiolect"
  )
}

# Before each redraw: what was typed takes the ghost text along or away, and another one is asked for.
_idiolect_redraw() {
  emulate -L zsh
  local left=$PREBUFFER$LBUFFER
  if [[ $CONTEXT != (start|cont) || -n $RBUFFER ]]; then
    [[ -z $_idiolect_ghost ]] || { _idiolect_ghost='' && _idiolect_show; }
    _idiolect_left=''
    return
  fi
  [[ $left != $_idiolect_left ]] || return 0
  if [[ -n $_idiolect_ghost && $left == $_idiolect_left?* && $_idiolect_left$_idiolect_ghost == $left* ]]; then
    _idiolect_ghost=${_idiolect_ghost#${left#$_idiolect_left}}
  else
    _idiolect_ghost=''
  fi
  _idiolect_left=$left
  _idiolect_show
  (( PENDING || KEYS_QUEUED_COUNT )) && return
  [[ -n $_idiolect_full_line || $left == *[\'\"]* ]] || return 0
  [[ -n $_idiolect_in ]] || _idiolect_start || return
  print -rnu $_idiolect_in -- "$(( ++_idiolect_number ))"$'\n'"$left"$'\0' 2>/dev/null || _idiolect_stop
}

_idiolect_answer() {
  emulate -L zsh
  local record
  IFS= read -r -d '' -u $1 record 2>/dev/null || { _idiolect_stop; return; }
  [[ ${record%%$'\n'*} == $_idiolect_number && $PREBUFFER$LBUFFER == $_idiolect_left && -z $RBUFFER ]] || return
  _idiolect_ghost=${record#*$'\n'}
  _idiolect_show
  zle -R
}

_idiolect_finish() {
  emulate -L zsh
  _idiolect_ghost=''
  _idiolect_show
  _idiolect_left=''
}

# Taking it: what moves the cursor on at the line's end takes the ghost text, or a word of it.
_idiolect_take() {
  emulate -L zsh
  setopt extended_glob
  local taken=$_idiolect_ghost
  if [[ $PREBUFFER$LBUFFER != $_idiolect_left ]]; then  # keys came before the line was drawn again
    local more=$PREBUFFER$LBUFFER
    more=${more#$_idiolect_left}
    [[ $PREBUFFER$LBUFFER == $_idiolect_left$more && $taken == $more* ]] && taken=${taken#$more} || taken=''
  fi
  if [[ -z $taken || -n $RBUFFER ]]; then
    zle _idiolect-own-$WIDGET -- "$@"
    return
  fi
  [[ $WIDGET != *word ]] || taken=${(M)taken##[[:space:]]#[^[:space:]]##}
  LBUFFER+=$taken
}

autoload -Uz add-zle-hook-widget
zle -N _idiolect_answer
add-zle-hook-widget line-pre-redraw _idiolect_redraw
add-zle-hook-widget line-finish _idiolect_finish
() {
  local widget
  for widget in forward-char vi-forward-char end-of-line vi-end-of-line forward-word vi-forward-word emacs-forward-word; do
    zle -A $widget _idiolect-own-$widget
    zle -N $widget _idiolect_take
  done
}

fi
