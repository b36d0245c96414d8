#!/usr/bin/env bash
# Prints every event of a generation as a line of JSON: curl.sh URL GENERATION
set -u
url=$1/api/generations/$2/events
silence_seconds=${3:-45}
last_id=0
wait_milliseconds=1000

while :; do
  data='' id='' status=0
  while IFS= read -r line; do
    case $line in
      'data: '*) data=${line#data: } ;;
      'id: '*) id=${line#id: } ;;
      'retry: '*) wait_milliseconds=${line#retry: } ;;
      'status: '*) status=${line#status: } ;;
      # An event is whole when its empty line is there; heartbeats and the goodbye have no id.
      '') if [ -n "$id" ]; then last_id=$id; printf '%s\n' "$data"; fi; data='' id='' ;;
    esac
  done < <(curl --silent --no-buffer --speed-limit 1 --speed-time "$silence_seconds" \
    --header 'Accept: text/event-stream' --header "Last-Event-ID: $last_id" \
    --write-out '\nstatus: %{http_code}\n' "$url")
  case $status in
    204) exit 0 ;;
    4??) echo "refused: $status" >&2; exit 1 ;;
  esac
  sleep "$((wait_milliseconds / 1000)).$(printf '%03d' $((wait_milliseconds % 1000)))"
done
