import os
from flask_restplus import fields
from maxfw.core import MAX_API, PredictAPI
from core.model import ModelWrapper

input_model = MAX_API.model('ModelInput', {
    'numbers': fields.List(fields.Float, required=True, description='Numbers to double')
})

predict_response = MAX_API.model('ModelPredictResponse', {
    'status': fields.String(required=True),
    'predictions': fields.List(fields.Float),
    'pid': fields.Integer(description='Which process answered'),
    'loaded_in': fields.Integer(description='Which process loaded the model')
})


class ModelPredictAPI(PredictAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc('predict')
    @MAX_API.expect(input_model, validate=True)
    @MAX_API.marshal_with(predict_response)
    def post(self):
        """Double numbers"""
        predictions = self.model_wrapper.predict(MAX_API.payload['numbers'])
        return {'status': 'ok', 'predictions': predictions, 'pid': os.getpid(),
                'loaded_in': self.model_wrapper.loaded_in}
