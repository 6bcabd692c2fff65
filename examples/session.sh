#!/bin/sh
# The same with curl and jq.
set -eu
ask() {
  curl --silent --show-error --fail-with-body --globoff "$TROUPE_SERVER_URL/v1/$1" ${2:+--data "$2"} \
    --header "authorization: Bearer $TROUPE_API_KEY" --header "content-type: application/json"
}

agent=$(ask agents '{"name":"helper","model":"demo","tools":[{"type":"agent_toolset_20260401"}]}' | jq --raw-output .id)
session=$(ask sessions "{\"agent\":\"$agent\"}" | jq --raw-output .id)
message='{"type":"user.message","content":[{"type":"text","text":"run: echo $((40 + 2))"}]}'
ask "sessions/$session/events" "{\"events\":[$message]}" >/dev/null
until [ "$(ask "sessions/$session" | jq --raw-output .status)" = idle ]; do sleep 0.5; done
ask "sessions/$session/events?types[]=agent.message" | jq --raw-output '.data[].content[].text'
