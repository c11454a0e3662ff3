#!/bin/sh
# Does the work of a rotation with curl and jq: gets an identity token and a refresh token, writes registries.yaml.
set -eu
umask 077
token=$(curl -sSf --noproxy '*' -H 'Metadata: true' \
  "$IMDS/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcontainerregistry.azure.net" |
  jq -er .access_token)
password=$(printf '%s' "$token" |
  curl -sSf --proxy "$PROXY" --cacert "$CA" --data-urlencode access_token@- \
    -d grant_type=access_token -d "service=$REGISTRY" "https://$REGISTRY/oauth2/exchange" |
  jq -er .refresh_token)
cat >"$OUT.part" <<YAML
configs:
  $REGISTRY:
    auth:
      username: 00000000-0000-0000-0000-000000000000
      password: $password
YAML
mv "$OUT.part" "$OUT"
