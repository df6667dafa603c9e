# -*- shell-script -*-
# SPDX-License-Identifier: Apache-2.0
#
# Completion of vmfex-ctl's command lines in bash.
#
# Installed as .../bash-completion/completions/vmfex-ctl, from where bash reads
# it when it is needed first.  Without that, source it.
#
# What the commands and their arguments are comes from "vmfex-ctl --commands",
# whose lines have the format
#
#     [--local-option] [--local-option=] ,NAME,!ARGUMENT ?ARGUMENT *ARGUMENT
#
# and names of hosts and the like come from the database, if it answers within a
# second.

# _vmfex_ctl_run WORD...: runs vmfex-ctl, with the database and so on that stand
# on the command line.
_vmfex_ctl_run() {
    command "$_vmfex_ctl_program" "${_vmfex_ctl_globals[@]}" --timeout=1 "$@" \
        2>/dev/null
}

# _vmfex_ctl_names TABLE COLUMN [CONDITION]: prints the names of rows, which
# other machines may have chosen.  None of them is taken for an option.
_vmfex_ctl_names() {
    _vmfex_ctl_run --format=csv --data=bare --no-headings --columns="$2" \
        find "$1" "${@:3}" | sed 's/^"\(.*\)"$/\1/; s/""/"/g; /^-/d'
}

# _vmfex_ctl_tables: prints the tables' names.
_vmfex_ctl_tables() {
    command "$_vmfex_ctl_program" --help 2>/dev/null \
        | sed -n '/^Database commands/,/^Options/s/^  \([A-Za-z_]*\):$/\1/p'
}

# _vmfex_ctl_argument ARGUMENT COMMAND FIRST: prints what ARGUMENT, as the syntax
# of COMMAND calls it, may be.  FIRST is the command's first argument.
_vmfex_ctl_argument() {
    local argument=$1 command=$2 first=$3
    case $argument in
        HOST) _vmfex_ctl_names Host name ;;
        SWITCH) _vmfex_ctl_names Switch name ;;
        'HOST|SWITCH')
            _vmfex_ctl_names Host name
            _vmfex_ctl_names Switch name
            ;;
        SYSTEM-ID)
            case $command in
                host-set|host-del) _vmfex_ctl_names Host name ;;
                switch-del) _vmfex_ctl_names Switch name ;;
            esac
            ;;
        NAME)
            case $command in
                profile-set|profile-del) _vmfex_ctl_names Port_Profile name ;;
                policy-set|policy-del) _vmfex_ctl_names Adapter_Policy name ;;
            esac
            ;;
        UPLINK)
            [[ $command != trunk-del && $command != trunk-set ]] \
                || _vmfex_ctl_names Trunk uplink "host=\"$first\""
            ;;
        FAULT) _vmfex_ctl_names Fault number cleared=0 ;;
        IFACE-ID|PORT) _vmfex_ctl_names Virtual_Port iface_id ;;
        STATE) printf '%s\n' declared pending active refused retained gone ;;
        KEY=VALUE) printf '%s\n' claims=any claims=declared moves=any \
            moves=announced ;;
        VLANS) printf '%s\n' all none ;;
        TABLE) _vmfex_ctl_tables ;;
        RECORD)
            case $first in
                Virtual_Port) _vmfex_ctl_names Virtual_Port iface_id ;;
                Connection) _vmfex_ctl_names Connection target ;;
                VMFEX_Global|SSL) echo . ;;
                *) _vmfex_ctl_names "$first" name ;;
            esac
            ;;
    esac
}

# _vmfex_ctl_value OPTION: prints what the value of OPTION may be.
_vmfex_ctl_value() {
    case $1 in
        --policy) echo none; _vmfex_ctl_names Adapter_Policy name ;;
        --host) _vmfex_ctl_names Host name ;;
        --hosts) echo all; _vmfex_ctl_names Host name ;;
        --incoming) echo none; _vmfex_ctl_names Host name ;;
        --profile) _vmfex_ctl_names Port_Profile name ;;
        --profiles) echo all; _vmfex_ctl_names Port_Profile name ;;
        --mac|--ip) echo any ;;
        --severity) printf '%s\n' critical major warning info ;;
        --tag) printf '%s\n' vn-tag e-tag s-tag c-tag ;;
        --cabling) printf '%s\n' warn enforce ;;
        --trunks) printf '%s\n' manual auto ;;
        --protection) printf '%s\n' none protected ;;
        --mac-policy|--ip-policy) printf '%s\n' any attached ;;
        --dhcp) printf '%s\n' client server ;;
        --ra) printf '%s\n' host router ;;
        --broadcast-limit|--multicast-limit) echo none ;;
        --path) printf '%s\n' auto emulated direct kernel ;;
        --native) echo none ;;
        --vlans) printf '%s\n' all none ;;
        --uplinks) echo all; _vmfex_ctl_names Trunk uplink | sort -u ;;
        --format) printf '%s\n' table list html csv json ;;
        --data) printf '%s\n' string bare json ;;
    esac
}

# _vmfex_ctl_candidates WORD...: prints what the last of WORDs, which is not
# finished yet, may become.  The first one is the program.
_vmfex_ctl_candidates() {
    local _vmfex_ctl_program=$1; shift
    local _vmfex_ctl_globals=() words=() command="" arguments=() options=() i=0
    local word=${!#} first=: commands line argument

    # Only what stands behind the last "--" counts, other than options that say
    # which database it is.
    while test $# -gt 1; do
        case $1 in
            --db=*|--private-key=*|--certificate=*|--ca-cert=*) \
                _vmfex_ctl_globals+=("$1") ;;
            --db|-p|-c|-C|--private-key|--certificate|--ca-cert) \
                _vmfex_ctl_globals+=("$1" "$2"); shift ;;
            --timeout|-t|--format|-f|--data|-d) shift ;;
            --) words=() command="" first=false ;;
            -*) ;;
            *) if test -z "$command"; then command=$1; else words+=("$1"); fi ;;
        esac
        shift
    done

    commands=$(command "$_vmfex_ctl_program" --commands 2>/dev/null)
    if test -n "$command"; then
        line=$(printf '%s\n' "$commands" | grep ",$command,")
        read -r -a arguments <<< "${line##*,}"
        read -r -a options <<< "$(sed 's/,.*//; s/[][]//g' <<< "$line")"
    fi

    case $word in
        --*=*)
            _vmfex_ctl_value "${word%%=*}" | sed "s|^|${word%%=*}=|"
            return
            ;;
        -*)
            printf '%s\n' "${options[@]}"
            $first && command "$_vmfex_ctl_program" --options 2>/dev/null \
                | sed -n 's/^\(--.*\)=ARG$/\1=/p; t; /^--/p'
            return
            ;;
    esac
    if test -z "$command"; then
        printf '%s\n' "$commands" | sed 's/^[^,]*,\([^,]*\),.*/\1/'
        return
    fi

    # The argument at this place, or the last one if it may be repeated.
    for argument in "${arguments[@]}"; do
        if test $i = ${#words[@]} || test -z "${argument%%[*+]*}"; then
            _vmfex_ctl_argument "${argument#[?*+!]}" "$command" "${words[0]}"
            break
        fi
        i=$((i + 1))
    done
}

_vmfex_ctl() {
    local line=${COMP_LINE:0:COMP_POINT} word candidate
    local words=()

    # COMP_WORDS splits at "=" and ":", we do not.
    read -r -a words <<< "$line"
    case $line in
        *[[:space:]]) words+=("") ;;
    esac
    word=${words[${#words[@]} - 1]}

    # What becomes part of the command line is quoted, or the shell would
    # execute what is in somebody's name.
    COMPREPLY=()
    while IFS= read -r candidate; do
        test -n "$candidate" || continue
        printf -v candidate %q "$candidate"
        case $candidate in
            "$word"*) COMPREPLY+=("$candidate") ;;
        esac
    done < <(_vmfex_ctl_candidates "${words[@]}")

    # bash replaces only what stands behind the last "=" or ":".
    if test ${#COMPREPLY[@]} = 1; then
        case ${COMPREPLY[0]} in
            *=) compopt -o nospace 2>/dev/null ;;
        esac
    fi
    case $word in
        *[=:]*)
            word=${word%"${word##*[=:]}"}
            COMPREPLY=("${COMPREPLY[@]#"$word"}")
            ;;
    esac
}
complete -F _vmfex_ctl vmfex-ctl
