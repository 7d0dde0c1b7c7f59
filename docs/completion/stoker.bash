# bash completion of stoker, printed by: stoker completion bash
_stoker() {
  local word=${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "help demo run analyze advise compare report bench-job replay ship tail state doctor check topics config healthcheck version completion" -- "$word"))
    return
  fi
  local options=
  case ${COMP_WORDS[1]} in
    demo) options=" --speed --help --color --log-level" ;;
    run) options=" --config --set --help --color --log-level" ;;
    analyze) options=" --format --all --max-duration --max-skew --max-spill --max-failed-tasks --fail-on --baseline --max-slowdown --fail-on-new --config --set --help --color --log-level" ;;
    advise) options=" --format --data-size --executors --executor-cores --partitions --image --namespace --name --zone --service-account --storage-class --storage-size --main-file --main-class --spark-version --pipeline --brokers --since --limit --config --set --help --color --log-level" ;;
    compare) options=" --format --all --pipeline --brokers --since --limit --config --set --help --color --log-level" ;;
    report) options=" --format --baseline --pipeline --brokers --since --limit --config --set --help --color --log-level" ;;
    bench-job) options=" --sizes --iterations --timeout --keep --format --config --set --help --color --log-level" ;;
    replay) options=" --brokers --topic --speed --align --timeout --max-bytes --config --set --help --color --log-level" ;;
    ship) options=" --brokers --topic --follow --since --name --no-transactions --timeout --config --set --help --color --log-level" ;;
    tail) options=" --topic --brokers --from --count --format --config --set --help --color --log-level" ;;
    state) options=" --app --pipeline --partition --values --format --schema --config --set --help --color --log-level" ;;
    doctor) options=" --timeout --records --format --config --set --help --color --log-level" ;;
    check) options=" --connect --config --set --help --color --log-level" ;;
    topics) options=" --create --verify --config --set --help --color --log-level" ;;
    config) options=" --config --set --help --color --log-level" ;;
    healthcheck) options=" --url --config --set --help --color --log-level" ;;
    version) options=" --json --help --color --log-level" ;;
    completion) options=" --help --color --log-level" ;;
    man) options=" --help --color --log-level" ;;
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _stoker stoker
