output "server_ip" {
  description = "The private address of the server, and of the Kubernetes API at port 6443."
  value       = local.server_ip
}

output "nodes" {
  description = "The private address of each node, by its name."
  value       = { for name, node in azurerm_linux_virtual_machine.node : name => node.private_ip_address }
}

output "login_server" {
  description = "Where images are pushed, and pulled from by every node."
  value       = azurerm_container_registry.fleet.login_server
}

output "key_vault_name" {
  description = "The vault with the join tokens."
  value       = azurerm_key_vault.fleet.name
}

output "resource_group_name" {
  description = "Where all of it is."
  value       = local.group
}
