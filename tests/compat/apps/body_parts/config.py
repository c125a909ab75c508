DEBUG = False
RESTPLUS_MASK_SWAGGER = False
API_TITLE = 'Body Parts'
API_DESC = 'Says where the nose is'
API_VERSION = '1.0.0'
