# Flask settings
DEBUG = False

# Flask-restplus settings
RESTPLUS_MASK_SWAGGER = False
SWAGGER_UI_DOC_EXPANSION = 'none'

# API metadata
API_TITLE = 'Animal Finder'
API_DESC = 'Finds the dark animals in a picture of snow.'
API_VERSION = '1.2.0'

# default model
MODEL_NAME = 'animal_finder'
DEFAULT_MODEL_PATH = 'assets/{}.pb'.format(MODEL_NAME)
MODEL_LICENSE = 'ApacheV2'

MODEL_META_DATA = {
    'id': 'max-animal-finder',
    'name': 'Animal Finder',
    'description': API_DESC,
    'type': 'Object Detection',
    'source': 'https://developer.example/animal-finder',
    'license': MODEL_LICENSE,
    'herd': 'dropped, the schema does not know it'
}
