variable "name" {
  description = "The beginning of every name: letters, digits and hyphens, such as fleet."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name))
    error_message = "3 to 16 lower-case letters, digits and hyphens; the first a letter, the last no hyphen."
  }
}

variable "location" {
  description = "The Azure region, such as westeurope."
  type        = string
}

variable "resource_group_name" {
  description = "A resource group that is there already; by default one is made."
  type        = string
  default     = null
}

variable "key_vault_name" {
  description = "The name of the Key Vault, which no other vault of Azure may have."
  type        = string
}

variable "registry_name" {
  description = "The name of the container registry, which no other registry of Azure may have: letters and digits."
  type        = string
}

variable "slipway_url" {
  description = "Where the nodes download the executable from: without a secret in it, everybody on a VM can read it."
  type        = string

  validation {
    condition     = can(regex("^https://[^'\\s]+$", var.slipway_url))
    error_message = "An https address without quotes and blanks."
  }
}

variable "slipway_sha256" {
  description = "The sha256 of the executable: sha256sum slipway-linux-x64."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.slipway_sha256))
    error_message = "64 hexadecimal digits in lower case."
  }
}

variable "ssh_public_key" {
  description = "The public key of the administrator; Azure makes no Linux VM without a key or a password."
  type        = string
}

variable "agents" {
  description = "The agents, by what comes after the hyphen in their names; the size of each can differ."
  type        = map(object({ size = optional(string) }))
  default     = { agent-1 = {} }

  validation {
    condition     = !contains(keys(var.agents), "server") && !contains(keys(var.agents), "observability")
    error_message = "The server and the node for observability have these names: call no agent server or observability."
  }
}

variable "observability" {
  description = "Whether there is a node for observability, with its label and taint."
  type        = bool
  default     = true
}

variable "size" {
  description = "The size of the VMs, of the processor that the executable is for."
  type        = string
  default     = "Standard_B2als_v2"
}

variable "image" {
  description = "The image of the VMs, with systemd and cloud-init."
  type        = object({ publisher = string, offer = string, sku = string, version = string })
  default     = { publisher = "Debian", offer = "debian-13", sku = "13-gen2", version = "latest" }
}

variable "k3s_version" {
  description = "The K3s release, as the tag k3s-version says it; by default the one that Slipway comes with."
  type        = string
  default     = null
}

variable "settings" {
  description = "More settings of Slipway for every node (docs/usage/configuration.md), each taking the place of a whole section; no secret."
  type        = any
  default     = {}
}

variable "flux" {
  description = "The settings below gitops.flux, for a server that hands its cluster over to Flux."
  type        = any
  default     = null

  validation {
    condition     = var.flux == null || var.flux_git_token != null
    error_message = "Flux needs the token of the Git repository, at every apply: TF_VAR_flux_git_token."
  }
}

variable "flux_git_token" {
  description = "With flux: the token of the Git repository. Given at every apply (TF_VAR_flux_git_token), kept nowhere but in the vault."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "secrets_version" {
  description = "One more than before writes new secrets into the vault: what running nodes do then, docs/usage/configuration.md says (consent.tokenChange)."
  type        = number
  default     = 1
}

variable "address_space" {
  description = "The addresses of the virtual network."
  type        = string
  default     = "10.0.0.0/16"
}

variable "subnet" {
  description = "The addresses of the nodes, within address_space. The server has the fifth, the first that Azure leaves free."
  type        = string
  default     = "10.0.1.0/24"
}

variable "ssh_sources" {
  description = "The ranges from which nodes can be reached by SSH: none by default. The nodes have no public address."
  type        = list(string)
  default     = []
}

variable "nat_gateway" {
  description = "Whether the nodes reach the outside by a NAT gateway; false where the network has another way, such as a proxy."
  type        = bool
  default     = true
}

variable "purge_protection" {
  description = "Whether a deleted vault is kept for 90 days, whatever anybody wants. It cannot be taken back."
  type        = bool
  default     = true
}

variable "key_vault_sources" {
  description = "The addresses from which the vault can be reached, that of who runs Terraform among them; the nodes always can. By default from everywhere, with a token."
  type        = list(string)
  default     = null
}

variable "registry_sku" {
  description = "Basic, Standard or Premium."
  type        = string
  default     = "Basic"
}

variable "pull_role" {
  description = "What lets nodes pull: on a registry with ABAC permissions it is Container Registry Repository Reader."
  type        = string
  default     = "AcrPull"

  validation {
    condition     = contains(["AcrPull", "Container Registry Repository Reader"], var.pull_role)
    error_message = "AcrPull, or Container Registry Repository Reader."
  }
}
