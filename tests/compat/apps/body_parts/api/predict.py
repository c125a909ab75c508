import numpy as np
from flask import abort
from flask_restplus import fields
from maxfw.core import MAX_API, CustomMAXAPI, PredictAPI
from werkzeug.datastructures import FileStorage
from core.model import ModelWrapper, read_image

input_parser = MAX_API.parser()
input_parser.add_argument('file', type=FileStorage, location='files', required=True, help='An image')

part = MAX_API.model('BodyPart', {
    'part_id': fields.Integer(required=True),
    'part_name': fields.String(required=True),
    'score': fields.Fixed(required=True, description='How sure'),
    'x': fields.Integer(required=True),
    'y': fields.Integer(required=True)
})

human = MAX_API.model('Human', {
    'human_id': fields.Integer(required=True),
    'body_parts': fields.List(fields.Nested(part), required=True)
})

predict_response = MAX_API.model('PoseResponse', {
    'status': fields.String(required=True),
    'predictions': fields.List(fields.Nested(human))
})


class ModelPredictAPI(PredictAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc('predict')
    @MAX_API.expect(input_parser)
    @MAX_API.marshal_with(predict_response)
    def post(self):
        """Find people"""
        args = input_parser.parse_args()
        if not args['file'].mimetype.endswith(('jpg', 'jpeg', 'png')):
            abort(400, 'Please submit a valid image in PNG or JPEG format')
        return {'status': 'ok', 'predictions': self.model_wrapper.predict(read_image(args['file'].read()))}


class ModelMapAPI(CustomMAXAPI):

    def get(self, kind, size):
        """Numpy values as they come, nothing marshalled"""
        values = np.arange(size * size, dtype=np.float32).reshape(size, size)
        if kind == 'rows':
            return {'size': [np.int64(size), size], 'map': [list(row) for row in values]}
        if kind == 'array':
            return {'map': values.astype(np.uint8), 'by_label': {np.int64(3): np.bool_(True)}}
        if kind == 'nothing':
            return {'map': [np.float32('nan'), float('nan'), float('inf'), 1.5]}
        return {'error': 'no such map'}, 404, {'X-Kind': kind}
