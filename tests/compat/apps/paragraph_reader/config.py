# Somebody forgot to switch this off.
DEBUG = True
RESTX_MASK_SWAGGER = False

API_TITLE = 'json'
API_DESC = 'Answers every question with a word of its paragraph.'
API_VERSION = '0.1'

MODEL_META_DATA = {
    'id': 'max paragraph reader',
    'name': 'Paragraph Reader',
    'description': API_DESC,
    'type': 'Natural Language Processing',
    'license': 'Apache V2'
}
