DEBUG = False
RESTPLUS_MASK_SWAGGER = False
SWAGGER_UI_DOC_EXPANSION = 'none'
API_TITLE = 'Tone Generator'
API_DESC = 'Makes a tone'
API_VERSION = '1.0.0'
MODELS = ['low', 'high']
DEFAULT_MODEL = MODELS[0]
