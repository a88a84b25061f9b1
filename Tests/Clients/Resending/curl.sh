# The create is the second transfer of one call of curl, on the connection of the first.
exec curl --silent --show-error --noproxy '*' --max-time 60 \
    "$GATEWAY/v1/models" --header "Authorization: Bearer $KEY" --output /dev/null --next \
    --silent --show-error --noproxy '*' --max-time 60 \
    "$GATEWAY$CREATE" --header "Authorization: Bearer $KEY" --header 'Content-Type: application/json' --data "$BODY"
