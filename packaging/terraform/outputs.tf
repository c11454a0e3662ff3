output "server_ip" {
  description = "The private address of the server, or of the load balancer of several servers: the Kubernetes API at port 6443."
  value       = local.registration_ip
}

output "nodes" {
  description = "The private address of each node, by its name."
  value       = { for name, node in azurerm_linux_virtual_machine.node : name => node.private_ip_address }
}

output "ingress_public_ip" {
  description = "With ingress: the public address of the cluster, ports 80 and 443."
  value       = one(azurerm_public_ip.ingress[*].ip_address)
}

output "login_server" {
  description = "The registry to push images to; every node pulls from it."
  value       = azurerm_container_registry.fleet.login_server
}

output "key_vault_name" {
  description = "The vault with the join tokens."
  value       = azurerm_key_vault.fleet.name
}

output "resource_group_name" {
  description = "The resource group of all resources."
  value       = local.group
}

output "backup_to" {
  description = "With backup_account_name: the place of the backups, as in the setting backup.to."
  value       = one([for container in azurerm_storage_container.backup : "${azurerm_storage_account.backup[0].primary_blob_endpoint}${container.name}"])
}
