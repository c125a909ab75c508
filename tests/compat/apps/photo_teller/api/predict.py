from flask import abort
from flask_restplus import fields
from maxfw.core import MAX_API, PredictAPI
from werkzeug.datastructures import FileStorage
from core.model import ModelWrapper

input_parser = MAX_API.parser()
input_parser.add_argument('image', type=FileStorage, location='files', required=True, help='A JPEG or PNG image')

caption = MAX_API.model('Caption', {
    'index': fields.String(required=True, description='Rank of the caption'),
    'caption': fields.String(required=True, description='Caption'),
    'probability': fields.Float(required=True, description='Probability of the caption')
})

predict_response = MAX_API.model('ModelPredictResponse', {
    'status': fields.String(required=True),
    'predictions': fields.List(fields.Nested(caption), description='Captions')
})


class ModelPredictAPI(PredictAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc('predict')
    @MAX_API.expect(input_parser)
    @MAX_API.marshal_with(predict_response)
    def post(self):
        """Say what is in an image"""
        args = input_parser.parse_args()
        if not args['image'].mimetype.endswith(('jpg', 'jpeg', 'png')):
            abort(400, 'Invalid file type/extension. Please provide an image in JPEG or PNG format.')
        return {'status': 'ok', 'predictions': self.model_wrapper.predict(args['image'].read())}
