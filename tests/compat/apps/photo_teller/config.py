DEBUG = False

API_TITLE = 'Photo Teller'
API_DESC = 'Says in words how light a photo is'
API_VERSION = '1.0'

MODEL_META_DATA = {
    'id': 'max-photo-teller',
    'name': 'Photo Teller',
    'description': 'Says in words how light a photo is',
    'type': 'Image-To-Text Translation',
    'license': 'Apache 2.0',
    'source': 'https://example.org/photo-teller'
}
