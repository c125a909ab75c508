"""What an app is called when it does not say."""

API_TITLE = "Model Asset Exchange Microservice"
API_DESC = "An API for serving models"
API_VERSION = "0.1"
