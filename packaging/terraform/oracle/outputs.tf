output "ingress_public_ip" {
  description = "The public address of the cluster: ports 80 and 443, and SSH for ssh_sources."
  value       = oci_core_instance.node["ingress"].public_ip
}

output "nodes" {
  description = "The private address of each node, by its name."
  value       = { for name, node in oci_core_instance.node : name => node.private_ip }
}

output "secrets" {
  description = "The commands that create the join tokens; run them once. The nodes wait for the secrets."
  value = [for name in values(local.everywhere.joinToken) : join(" ", [
    "printf '{\"secretContentContent\":\"%s\"}' \"$(openssl rand -hex 32 | tr -d '\\n' | base64 -w0)\" |",
    "oci vault secret create-base64 --from-json file:///dev/stdin --secret-name ${name} --region ${var.region}",
    "--compartment-id ${var.compartment_id} --vault-id ${data.oci_kms_vault.fleet.id} --key-id ${oci_kms_key.secrets.id}",
  ])]
}
