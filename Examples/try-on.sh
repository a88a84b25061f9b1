#!/usr/bin/env bash
# Creates a try-on task with curl, waits for it and prints the picture's URL.
set -euo pipefail

path="$GATEWAY_URL/v1/images/kolors-virtual-try-on"
call() { curl --silent --show-error --header "Authorization: Bearer $GATEWAY_KEY" "$@"; }
# Prints the first string member of that name in an answer. If you have jq, use it instead.
member() { grep --only-matching "\"$1\": *\"[^\"]*\"" <<< "$2" | head -n 1 | cut -d '"' -f 4; }

answer=$(call "$path" --retry 3 \
  --header "Content-Type: application/json" --header "Idempotency-Key: order-4711-$(date +%s)" \
  --data "{\"human_image\": \"$PERSON\", \"cloth_image\": \"$GARMENT\"}")
task=$(member task_id "$answer") || { echo "the create failed: $(member message "$answer")" >&2; exit 1; }

for _ in $(seq 120); do
  answer=$(call "$path/$task")
  case $(member task_status "$answer" || true) in
    succeed) member url "$answer"; exit 0 ;;
    failed) echo "the task failed: $(member task_status_msg "$answer")" >&2; exit 1 ;;
  esac
  sleep 1
done
echo "task $task is not finished yet" >&2
exit 1
