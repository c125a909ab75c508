"""From a model folder to running containers: images, a Compose file, Kubernetes manifests."""
