# idiolect at the prompt: Alt-I inserts how the line may go on. Needs fish 3.4 or newer.
set -g _idiolect_helper @HELPER@
if set -q TERM_PROGRAM
    set -a _idiolect_helper --app "$TERM_PROGRAM terminal"
else
    set -a _idiolect_helper --app "$TERM terminal"
end

function _idiolect_insert
    set -l ghost (commandline --cut-at-cursor --current-buffer | string collect | $_idiolect_helper --once 2>/dev/null | string collect)
    test -z "$ghost"; or commandline --insert -- $ghost
end

status is-interactive; and bind \ei _idiolect_insert
