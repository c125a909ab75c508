DEBUG = False
RESTPLUS_MASK_SWAGGER = False
API_TITLE = 'Doubler'
API_DESC = 'Doubles a number, and adds one'
API_VERSION = '1.0.0'
